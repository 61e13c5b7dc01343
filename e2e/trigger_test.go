package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drydock.dev/drydock/e2e/client"
)

// pushHook is a webhook of a repository at GitHub.
type pushHook struct {
	URL, Secret string
	Repository  string
	// pushedAt is when all that it tells of was pushed: a redelivery repeats the body.
	pushedAt int64
}

// createPushed makes an image that pushes to a repository start builds of.
func (a *actor) createPushed(name, repository string) (id string, hook pushHook) {
	a.t.Helper()
	var data struct {
		CreateImage struct {
			Image       struct{ ID string }
			PushWebhook pushHook
		}
	}
	a.do(`mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } pushWebhook { url secret } } }`, map[string]any{"in": map[string]any{
		"name": name, "source": map[string]any{"repository": repository}, "destination": house.Registry + "/" + a.login + "/" + name,
		"tags": []string{"{{.Branch}}-{{.ShortCommit}}"}, "triggers": map[string]any{"push": true},
	}}, &data)
	data.CreateImage.PushWebhook.Repository, data.CreateImage.PushWebhook.pushedAt = repository, time.Now().Unix()
	return data.CreateImage.Image.ID, data.CreateImage.PushWebhook
}

// deliver sends a push event as GitHub does.
func (h pushHook) deliver(t *testing.T, delivery, ref, commit string) (status int, words string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"ref": ref, "after": commit, "head_commit": map[string]any{"id": commit, "message": "A change"}, "pusher": map[string]any{"name": "grace"},
		"repository": map[string]any{"clone_url": h.Repository, "pushed_at": h.pushedAt},
	})
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(h.Secret))
	mac.Write(body)
	request, err := http.NewRequestWithContext(within(t, patience), http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil))} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// triggered is a build with what started it.
type triggered struct {
	build
	Trigger, TriggeredBy, Commit string
	References                   []string
}

// triggeredBuilds waits until an image has so many builds, and all of them have ended.
func (a *actor) triggeredBuilds(image string, count int) (builds []triggered) {
	a.t.Helper()
	eventually(a.t, func() error {
		var data struct {
			Node struct {
				Builds struct{ Edges []struct{ Node triggered } }
			}
		}
		err := a.Do(within(a.t, patience), client.Request{Query: `query($id: ID!) { node(id: $id) { ... on Image { builds { edges { node {
			` + buildFields + ` trigger triggeredBy commit references } } } } } }`, Variables: map[string]any{"id": image}}, &data)
		if err != nil {
			return err
		}
		builds = nil
		for _, edge := range data.Node.Builds.Edges {
			builds = append(builds, edge.Node)
			if !edge.Node.done() {
				return errors.New(edge.Node.String())
			}
		}
		if len(builds) < count {
			return fmt.Errorf("%d builds, want %d", len(builds), count)
		}
		return nil
	})
	return builds
}

// TestPush: a push to a real repository, GitHub's webhook, a build of that very commit.
func TestPush(t *testing.T) {
	g, standby := gateway(t), gateway(t)
	controller(t)
	ada := signIn(t, g.URL, "ada")
	name := fmt.Sprintf("push-%d", repositories.Add(1))
	repository, err := house.Repository(within(t, patience), name, fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\nCOPY . /\n")}})
	if err != nil {
		t.Fatal(err)
	}
	image, hook := ada.createPushed("pushed", repository)
	commit := func(branch string) string {
		t.Helper()
		made, err := house.Commit(within(t, patience), name, branch, "A change", fstest.MapFS{"file": {Data: []byte(time.Now().String())}})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	wanted := commit("main")
	next := commit("main") // the branch has moved on when the build begins
	if status, words := hook.deliver(t, "d-1", "refs/heads/main", wanted); status != http.StatusOK || !strings.Contains(words, wanted) {
		t.Fatalf("%d %s", status, words)
	}
	elsewhere := hook
	elsewhere.URL = strings.Replace(hook.URL, g.URL, standby.URL, 1)
	eventually(t, func() error { // until the other replica has heard of the image
		if status, words := elsewhere.deliver(t, "d-1", "refs/heads/main", wanted); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, words)
		}
		return nil
	})
	if status, words := elsewhere.deliver(t, "d-2", "refs/heads/other", commit("other")); status != http.StatusOK || !strings.Contains(words, "Ignored") {
		t.Errorf("another branch: %d %s", status, words)
	}
	builds := ada.triggeredBuilds(image, 1)
	if len(builds) != 1 {
		t.Fatalf("%d builds of one push, delivered twice, and one to another branch", len(builds))
	}
	got := builds[0]
	if got.Phase != "SUCCEEDED" || got.Trigger != "PUSH" || got.Commit != wanted || got.TriggeredBy != "grace pushed to main: A change" ||
		!strings.HasSuffix(strings.Join(got.References, " "), ":main-"+wanted[:7]) {
		t.Errorf("%+v, want a build of %s and not of %s", got, wanted, next)
	}
	stolen := hook
	stolen.Secret = strings.Repeat("0", 64)
	if status, words := stolen.deliver(t, "d-3", "refs/heads/main", next); status != http.StatusUnauthorized {
		t.Errorf("another secret: %d %s", status, words)
	}
	if printed := g.Output() + standby.Output(); strings.Contains(printed, hook.Secret) {
		t.Error("a gateway printed the secret")
	}
}
