package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/registry/registrytest"
)

// troubleProgram is a RUN step that goes wrong as its argument says.
const troubleProgram = `package main

import (
	"os"
	"time"
)

func main() {
	switch os.Args[1] {
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(10 * time.Minute)
	case "eat":
		var eaten [][]byte
		for {
			piece := make([]byte, 1<<20)
			for i := range piece {
				piece[i] = byte(i)
			}
			eaten = append(eaten, piece)
		}
	}
}
`

// trouble is a repository whose build goes wrong.
func trouble(t *testing.T, binary []byte, how string) string {
	t.Helper()
	repository, err := house.Repository(within(t, patience), fmt.Sprintf("trouble-%d", repositories.Add(1)), fstest.MapFS{
		"Dockerfile": {Data: fmt.Appendf(nil, "FROM scratch\nCOPY trouble /trouble\nRUN [\"/trouble\", %q]\n", how)}, "trouble": {Data: binary},
	})
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

// TestEachFailure causes every reason for which a build ends without an image, with real builds by the real binaries:
// the reason and words that say what happened reach the one who asked.
func TestEachFailure(t *testing.T) {
	ada := subscriber(t, "ada", "Scale")
	g := gateway(t)
	controller(t)
	ada.moveTo(g)
	binary := compile(t, troubleProgram)
	gates := map[string]*gate{"Cancelled": newGate(t, "cancelled"), "InfrastructureFailure": newGate(t, "lost")}
	private := newPrivateRegistry(t, registrytest.Token, "ada", "swordfish")
	works := trouble(t, binary, "nothing")
	own := house.Registry + "/" + ada.login + "/app"
	cases := []struct {
		reason, repository, words string
		phase                     string
		more                      map[string]any // of the image
	}{
		{"CloneFailed", house.Git + "/none.git", "could not be read", "FAILED", nil},
		{"DockerfileMissing", works, "no file Missing", "FAILED", map[string]any{"source": map[string]any{"repository": works, "dockerfile": "Missing"}}},
		{"BuildFailed", trouble(t, binary, "exit"), "exit status 3", "FAILED", nil},
		{"PushDenied", works, "There is no login for " + private.host, "FAILED", map[string]any{"destination": private.host + "/team/app"}},
		{"Timeout", trouble(t, binary, "sleep"), "10s", "FAILED", map[string]any{"timeoutSeconds": 10}},
		{"OutOfMemory", trouble(t, binary, "eat"), "1Gi of memory", "FAILED", nil},
		{"PlatformUnsupported", works, "plan9/mips", "FAILED", map[string]any{"platforms": []string{"linux/amd64", "plan9/mips"}}},
		{"Cancelled", gates["Cancelled"].Repository, "", "CANCELLED", map[string]any{"buildArgs": []any{gates["Cancelled"].Argument}}},
		{"InfrastructureFailure", gates["InfrastructureFailure"].Repository, "deleted while it ran", "FAILED", map[string]any{"buildArgs": []any{gates["InfrastructureFailure"].Argument}}},
	}
	started, images := map[string]build{}, map[string]string{}
	for _, c := range cases {
		in := map[string]any{"name": strings.ToLower(c.reason), "source": map[string]any{"repository": c.repository}, "destination": own}
		for key, value := range c.more {
			in[key] = value
		}
		var data struct {
			CreateImage struct{ Image struct{ ID string } }
		}
		ada.do(`mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`, map[string]any{"in": in}, &data)
		images[c.reason] = data.CreateImage.Image.ID
		started[c.reason] = ada.startBuild(images[c.reason])
	}
	gates["Cancelled"].await(t, 1)
	ada.do(`mutation($id: ID!) { cancelBuild(input: {id: $id}) { build { id } } }`, map[string]any{"id": started["Cancelled"].ID}, nil)
	gates["InfrastructureFailure"].await(t, 1)
	ada.losePod("infrastructurefailure")
	for _, c := range cases {
		ended := ada.finish(started[c.reason])
		if ended.Phase != c.phase || ended.Reason == nil || *ended.Reason != c.reason || !strings.Contains(*ended.Message, c.words) || ended.Digest != nil {
			t.Errorf("%s: %v, want it with %q", c.reason, ended, c.words)
		}
	}
	gates["InfrastructureFailure"].open()
	if again := ada.triggeredBuilds(images["InfrastructureFailure"], 2)[0]; again.Trigger != "RETRY" || again.Phase != "SUCCEEDED" {
		t.Errorf("the lost build is followed by %+v, want one that succeeded", again)
	}
	ada.checkForgotten(images["PlatformUnsupported"], "platformunsupported")
	checkQuota(t, g.URL)
}

// checkForgotten deletes an image whose only build ended hours ago, by its status: the build goes with it.
func (a *actor) checkForgotten(id, image string) {
	a.t.Helper()
	c, ctx := kubernetes(a.t), within(a.t, patience)
	find := func() (builds v1alpha1.BuildList) {
		if err := c.List(ctx, &builds, kube.InNamespace(v1alpha1.Namespace(a.login)), kube.MatchingLabels{v1alpha1.LabelImage: image}); err != nil {
			a.t.Fatal(err)
		}
		return builds
	}
	builds := find()
	if len(builds.Items) != 1 {
		a.t.Fatalf("%d builds of %s, want 1", len(builds.Items), image)
	}
	build := &builds.Items[0]
	before := build.DeepCopy()
	build.Status.CompletionTime = &metav1.Time{Time: time.Now().Add(-2 * time.Hour)}
	if err := c.Status().Patch(ctx, build, kube.MergeFrom(before)); err != nil {
		a.t.Fatal(err)
	}
	a.do(`mutation($id: ID!) { deleteImage(input: {id: $id}) { deletedID } }`, map[string]any{"id": id}, nil)
	eventually(a.t, func() error {
		if left := len(find().Items); left > 0 {
			return fmt.Errorf("%d builds of the deleted image are there", left)
		}
		return nil
	})
}

// losePod deletes the pod of an image's build, as the loss of a node does.
func (a *actor) losePod(image string) {
	a.t.Helper()
	var pods corev1.PodList
	c, ctx := kubernetes(a.t), within(a.t, patience)
	if err := c.List(ctx, &pods, kube.InNamespace(v1alpha1.Namespace(a.login)), kube.MatchingLabels{v1alpha1.LabelImage: image}); err != nil || len(pods.Items) != 1 {
		a.t.Fatalf("%d pods of %s: %v", len(pods.Items), image, err)
	}
	if err := c.Delete(ctx, &pods.Items[0], kube.GracePeriodSeconds(0)); err != nil {
		a.t.Fatal(err)
	}
}

// checkQuota lets somebody's minutes be used up: their build fails before it runs.
func checkQuota(t *testing.T, gateway string) {
	t.Helper()
	bob := signIn(t, gateway, "bob")
	customers, err := house.Stripe.Customers(within(t, patience), bob.login)
	if err != nil || len(customers) != 1 {
		t.Fatal(customers, err)
	}
	err = house.Stripe.Call(within(t, patience), http.MethodPost, "/v1/billing/meter_events", url.Values{
		"event_name": {"drydock_build_seconds"}, "payload[stripe_customer_id]": {customers[0]}, "payload[value]": {"600000"},
	}, &struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	image := bob.createImage("app", house.Git+"/none.git")
	ended := bob.finish(bob.startBuild(image))
	if ended.Reason == nil || *ended.Reason != "QuotaExceeded" || ended.DurationSeconds != nil && *ended.DurationSeconds != 0 {
		t.Errorf("with all minutes used: %v, want QuotaExceeded", ended)
	}
}
