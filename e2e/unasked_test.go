package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/e2e/browser"
)

// createTriggered makes an image of a Dockerfile with triggers.
func (a *actor) createTriggered(name, dockerfile string, triggers map[string]any) (id string) {
	a.t.Helper()
	repository, err := house.Repository(within(a.t, patience), fmt.Sprintf("%s-%d", name, repositories.Add(1)), fstest.MapFS{"Dockerfile": {Data: []byte(dockerfile)}})
	if err != nil {
		a.t.Fatal(err)
	}
	var data struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	a.do(`mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`, map[string]any{"in": map[string]any{
		"name": name, "source": map[string]any{"repository": repository}, "destination": house.Registry + "/" + a.login + "/" + name, "triggers": triggers,
	}}, &data)
	return data.CreateImage.Image.ID
}

// pushBase pushes an image of its own to the real registry, and returns its digest.
func pushBase(t *testing.T, reference string) string {
	t.Helper()
	image, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := crane.Push(image, reference, crane.Insecure); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// TestBaseImage: a base image is pushed anew to the real registry, and what was built from
// it is built from the new one.
func TestBaseImage(t *testing.T) {
	g := gateway(t)
	controller(t, "--base-image-interval", "1s", "--insecure-registries", house.Registry)
	ada := signIn(t, g.URL, "ada")
	base := house.Registry + "/" + ada.login + "/base:1"
	before := pushBase(t, base)
	image := ada.createTriggered("based", "FROM "+base+"\n", map[string]any{"baseImage": true})
	first := ada.finish(ada.startBuild(image))
	if first.Phase != "SUCCEEDED" {
		t.Fatalf("%v\n%s", first, ada.log(first))
	}
	after := pushBase(t, base)
	builds := ada.triggeredBuilds(image, 2)
	if len(builds) != 2 {
		t.Fatalf("one move became %d builds", len(builds)-1)
	}
	got := builds[0]
	if want := fmt.Sprintf("base image %s moved from %.19s to %.19s", base, before, after); got.Trigger != "BASE_IMAGE" || got.TriggeredBy != want {
		t.Errorf("%+v, want %q", got, want)
	}
	if got.Phase != "SUCCEEDED" || got.Digest == nil || first.Digest == nil || *got.Digest == *first.Digest {
		t.Errorf("%v, want another image than that of %v", got.build, first)
	}
	ada.checkCause(g.URL, "based", got, "Base image")
}

// TestSchedule: a run that came due while nobody was there is made up for.
func TestSchedule(t *testing.T) {
	g := gateway(t)
	controller(t)
	ada := signIn(t, g.URL, "ada")
	// No further run comes due for half an hour.
	line := fmt.Sprintf("%d * * * *", time.Now().Add(30*time.Minute).UTC().Minute())
	image := ada.createTriggered("hourly", "FROM scratch\nCOPY . /\n", map[string]any{"schedule": line})
	c, seen := kubernetes(t), &v1alpha1.Image{}
	key := kube.ObjectKey{Namespace: v1alpha1.Namespace(ada.login), Name: "hourly"}
	eventually(t, func() error {
		if err := c.Get(within(t, patience), key, seen); err != nil {
			return err
		}
		if seen.Status.Triggers == nil || seen.Status.Triggers.Schedule == nil {
			return errors.New("the controller has not seen the schedule")
		}
		return nil
	})
	old := seen.DeepCopy()
	seen.Status.Triggers.Schedule.Since = metav1.NewTime(time.Now().Add(-3 * time.Hour)) // as if it had been away since
	if err := c.Status().Patch(within(t, patience), seen, kube.MergeFrom(old)); err != nil {
		t.Fatal(err)
	}
	builds := ada.triggeredBuilds(image, 1)
	if len(builds) != 1 || builds[0].Phase != "SUCCEEDED" || builds[0].Trigger != "SCHEDULE" || !strings.HasPrefix(builds[0].TriggeredBy, "schedule "+line+", of ") {
		t.Errorf("%+v, want one for three runs that were missed", builds)
	}
	ada.checkCause(g.URL, "hourly", builds[0], "Schedule")
}

// checkCause holds that the app's pages say what started a build, among the image's builds in a word.
func (a *actor) checkCause(url, image string, b triggered, word string) {
	a.t.Helper()
	v := visit(a.t, url)
	v.signInAt("/images/"+image, a.login)
	v.see("the cause in a word", "#main table tbody tr:first-child", word)
	v.do("go to the build", browser.Press(fmt.Sprintf("#%d", b.Number)), browser.Shows("#main dl", b.TriggeredBy))
	v.checkQuiet()
}
