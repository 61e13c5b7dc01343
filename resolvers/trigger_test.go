package resolvers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/push"
)

const (
	createPushed = `mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id pushWebhookURL triggers { push } } pushWebhook { url secret } } }`
	updatePushed = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { pushWebhookURL } pushWebhook { url secret } } }`
	rotatePushed = `mutation ($input: RotatePushSecretInput!) { rotatePushSecret(input: $input) { image { id } pushWebhook { url secret } clientMutationID } }`
)

type pushHook struct{ URL, Secret string }

// pushImage makes an image whose pushes start builds.
func (h *house) pushImage(login, name string) (id string, shown pushHook) {
	h.t.Helper()
	input := imageInput(name)
	input["triggers"] = map[string]any{"push": true}
	var made struct {
		CreateImage struct {
			Image       struct{ ID, PushWebhookURL string }
			PushWebhook pushHook
		}
	}
	h.as(login).must(createPushed, variables{"input": input}, &made)
	if made.CreateImage.Image.PushWebhookURL != made.CreateImage.PushWebhook.URL || len(made.CreateImage.PushWebhook.Secret) != 64 {
		h.t.Fatalf("no webhook is shown: %+v", made)
	}
	return made.CreateImage.Image.ID, made.CreateImage.PushWebhook
}

// receiver takes deliveries at this replica.
func (h *house) receiver() *push.Receiver {
	return push.New(push.Options{Images: h.cluster, Builds: h.cluster, Accounts: h.billing, Keys: signingKeys(h.t), Log: slog.New(slog.DiscardHandler)})
}

// pushed is a push event; change may alter it.
func pushed(image, commit string, at int64, change func(map[string]any)) []byte {
	event := map[string]any{
		"ref": "refs/heads/main", "after": commit, "head_commit": map[string]any{"id": commit, "message": "Say hello\n\nto all"},
		"pusher":     map[string]any{"name": "grace"},
		"repository": map[string]any{"clone_url": "https://git.example.com/" + image + ".git", "pushed_at": at},
	}
	if change != nil {
		change(event)
	}
	body, _ := json.Marshal(event) // plain values
	return body
}

// deliver sends a body with the secret's signature.
func (w pushHook) deliver(t *testing.T, to *push.Receiver, delivery string, body []byte) (push.Answer, error) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(w.Secret))
	mac.Write(body)
	return to.Take(t.Context(), push.Delivery{Image: w.URL[strings.LastIndex(w.URL, "/")+1:], Event: "push", ID: delivery,
		Signature: "sha256=" + hex.EncodeToString(mac.Sum(nil)), ContentType: "application/json", Body: body})
}

func commit(digit string) string { return strings.Repeat(digit, 40) }

// TestPush tells deliveries to two replicas, and holds which of them start a build.
func TestPush(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	id, hook := h.pushImage(ada, "app")
	other := h.afresh()
	first, second := h.receiver(), other.receiver()
	at := time.Now().Unix()
	deleted := func(e map[string]any) { e["deleted"], e["head_commit"], e["after"] = true, nil, commit("0") }
	to := func(ref string) func(map[string]any) { return func(e map[string]any) { e["ref"] = ref } }
	builds := 0
	for _, test := range []struct {
		reason   string
		at       *push.Receiver
		delivery string
		body     []byte
		starts   bool
		says     string
		fails    fault.Kind
	}{
		{"a push", first, "d1", pushed("app", commit("1"), at, nil), true, "Build 1 ", ""},
		{"the same again, as GitHub redelivers", first, "d1", pushed("app", commit("1"), at, nil), false, "Build 1 ", ""},
		{"the same again, at another replica", second, "d1", pushed("app", commit("1"), at, nil), false, "Build 1 ", ""},
		{"the same again, under an id that nobody signed", first, "d1-again", pushed("app", commit("1"), at, nil), false, "Build 1 ", ""},
		{"the next push, at another replica", second, "d2", pushed("app", commit("2"), at+2, nil), true, "Build 2 ", ""},
		{"one from before, late", second, "d3", pushed("app", commit("3"), at+1, nil), false, "build 2 is of a later push", ""},
		{"a branch that is not the image's", first, "d4", pushed("app", commit("4"), at+3, to("refs/heads/other")), false, "built from main", ""},
		{"a tag of the ref's name", first, "d5", pushed("app", commit("5"), at+3, to("refs/tags/main")), true, "Build 3 ", ""},
		{"the branch was deleted", first, "d6", pushed("app", commit("6"), at+4, deleted), false, "deleted", ""},
		{"another repository", first, "d7", pushed("other", commit("7"), at+4, nil), false, "correct the webhook's address", fault.BadUserInput},
		{"no delivery's id", first, "", pushed("app", commit("8"), at+4, nil), false, "X-GitHub-Delivery", fault.BadUserInput},
		{"no event", first, "d9", []byte("{}"), false, "not a push event", fault.BadUserInput},
	} {
		answer, err := hook.deliver(t, test.at, test.delivery, test.body)
		words := answer.Words
		if err != nil {
			words = fault.PublicOf(err)
		}
		if err != nil && fault.KindOf(err) != test.fails || (err == nil) != (test.fails == "") || !strings.Contains(words, test.says) {
			t.Errorf("%s: %q, %v", test.reason, words, err)
		}
		if test.starts {
			builds++
		}
		// Both replicas are to have seen it, so that the next case is about what it says.
		h.until(test.reason, func() bool { return h.count(ada) == builds && other.count(ada) == builds })
	}
	type build struct {
		Number                       int
		Trigger, TriggeredBy, Commit string
	}
	var got struct {
		Viewer struct {
			Builds struct{ Edges []struct{ Node build } }
		}
	}
	h.as(ada).must(`{ viewer { builds { edges { node { number trigger triggeredBy commit } } } } }`, nil, &got)
	if last := got.Viewer.Builds.Edges[0].Node; last != (build{3, "PUSH", "grace pushed to main: Say hello", commit("5")}) {
		t.Errorf("the newest build is %+v", last)
	}
	h.as(ada).must(updateImage, variables{"input": map[string]any{"id": id, "suspended": true}}, nil)
	if answer, err := hook.deliver(t, first, "d10", pushed("app", commit("a"), at+9, nil)); err != nil || !strings.Contains(answer.Words, "suspended") {
		t.Errorf("a suspended image: %+v, %v", answer, err)
	}
	h.as(ada).must(updateImage, variables{"input": map[string]any{"id": id, "suspended": false, "source": map[string]any{
		"repository": "https://git.example.com/app.git", "ref": commit("b")}}}, nil)
	if answer, err := hook.deliver(t, first, "d11", pushed("app", commit("b"), at+9, nil)); err != nil || !strings.Contains(answer.Words, "no push moves") {
		t.Errorf("an image of a commit: %+v, %v", answer, err)
	}
	if n := h.count(ada); n != builds {
		t.Errorf("%d builds, want %d", n, builds)
	}
}

// count is how many builds a login has, as this replica knows.
func (h *house) count(login string) int {
	h.t.Helper()
	page, err := h.cluster.Builds(h.t.Context(), model.BuildQuery{Login: login, Page: model.Page{First: 1}})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Total
}

// TestPushSecret holds when a secret is shown, and which one holds.
func TestPushSecret(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	id, hook := h.pushImage(ada, "app")
	holds := func(w pushHook) bool {
		_, err := w.deliver(t, h.receiver(), "d", pushed("app", commit("0"), 0, func(e map[string]any) { e["deleted"] = true }))
		return fault.KindOf(err) != fault.Unauthenticated
	}
	change := func(query string, input map[string]any) (shown pushHook) {
		t.Helper()
		var data map[string]struct{ PushWebhook *pushHook }
		input["id"] = id
		if strings.Contains(query, "rotate") {
			delete(input, "id")
			input["image"] = id
		}
		h.as(ada).must(query, variables{"input": input}, &data)
		for _, payload := range data {
			if payload.PushWebhook != nil {
				shown = *payload.PushWebhook
			}
		}
		return shown
	}
	on, off := map[string]any{"push": true, "schedule": "@daily"}, map[string]any{"push": false}
	if shown := change(updatePushed, map[string]any{"triggers": on}); shown != (pushHook{}) || !holds(hook) {
		t.Error("push that was on already shows its secret again, or makes another one")
	}
	rotated := change(rotatePushed, map[string]any{"clientMutationID": "r1"})
	if rotated.URL != hook.URL || rotated.Secret == hook.Secret || holds(hook) || !holds(rotated) {
		t.Error("a rotated secret is not the one that holds")
	}
	if again := change(rotatePushed, map[string]any{"clientMutationID": "r1"}); again != rotated {
		t.Error("the same mutation again made another secret")
	}
	if shown := change(updatePushed, map[string]any{"triggers": off}); shown != (pushHook{}) || holds(rotated) {
		t.Error("the secret holds although push is off")
	}
	renewed := change(updatePushed, map[string]any{"triggers": on, "clientMutationID": "u1"})
	if renewed.Secret == "" || renewed.Secret == rotated.Secret || !holds(renewed) {
		t.Error("push that is turned on again has no new secret")
	}
	if again := change(updatePushed, map[string]any{"triggers": on, "clientMutationID": "u1"}); again != renewed {
		t.Error("the same mutation again does not show its secret")
	}
	if other := change(rotatePushed, map[string]any{"clientMutationID": "u1"}); other.Secret == renewed.Secret || holds(renewed) || !holds(other) {
		t.Error("a rotation of the id that turned push on leaves the secret as it was")
	}
	if logged := h.audit.String(); strings.Contains(logged, renewed.Secret) || !strings.Contains(logged, "rotatePushSecret") {
		t.Error("the log tells a secret, or not of the rotation")
	}
	if got := h.as(ada).ask(rotatePushed, variables{"input": map[string]any{"image": h.plain(ada)}}); !slices.Equal(got.Codes, []string{string(fault.Conflict)}) {
		t.Errorf("an image without push: %+v", got)
	}
}

// plain makes an image that only people start builds of.
func (h *house) plain(login string) string {
	h.t.Helper()
	h.as(login).must(createImage, variables{"input": imageInput("plain")}, nil)
	return model.EncodeID(model.KindImage, login, "plain")
}

// TestTriggers holds what may be set, and what is told of it.
func TestTriggers(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	id := h.plain(ada)
	const update = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { suspended triggers { push schedule baseImage nextRunAt lastRunAt } } } }`
	for _, test := range []struct {
		reason   string
		triggers any
		code     fault.Kind
		says     string
		next     bool
	}{
		{"every day", map[string]any{"schedule": "@daily"}, "", "", true},
		{"base images", map[string]any{"baseImage": true}, "", "", false},
		{"no cron line", map[string]any{"schedule": "every day"}, fault.BadUserInput, "five fields", false},
		{"another time zone", map[string]any{"schedule": "TZ=Europe/Berlin 0 0 * * *"}, fault.BadUserInput, "UTC", false},
		{"a day that never comes", map[string]any{"schedule": "0 0 30 2 *"}, fault.BadUserInput, "never comes", false},
		{"too often", map[string]any{"schedule": "* * * * *"}, fault.BadUserInput, "5m0s and more", false},
		{"nothing", nil, "", "", false},
	} {
		got := h.as(ada).ask(update, variables{"input": map[string]any{"id": id, "triggers": test.triggers}})
		if test.code != "" {
			if !slices.Equal(got.Codes, []string{string(test.code)}) || !strings.Contains(got.Words[0], test.says) {
				t.Errorf("%s: %+v", test.reason, got)
			}
			continue
		}
		var data struct {
			UpdateImage struct {
				Image struct {
					Triggers struct{ NextRunAt *time.Time }
				}
			}
		}
		into(t, got.Data, &data)
		if next := data.UpdateImage.Image.Triggers.NextRunAt; len(got.Codes) > 0 || (next != nil) != test.next || next != nil && !next.After(time.Now()) {
			t.Errorf("%s: %+v", test.reason, got)
		}
	}
}
