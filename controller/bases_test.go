package controller_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/registry/registrytest"
)

// baseRegistry is a registry that takes note of which manifests are asked for.
type baseRegistry struct {
	t          *testing.T
	host, open string
	busy       atomic.Bool // wants to be left alone for an hour

	mu    sync.Mutex
	heads []string
}

func newBaseRegistry(t *testing.T, auth registrytest.Auth) *baseRegistry {
	t.Helper()
	inner := registrytest.New(registrytest.Options{Auth: auth, Username: "ada", Password: registryPassword})
	b := &baseRegistry{t: t}
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	b.open = serve(inner.Open())
	b.host = serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, reference, found := strings.Cut(r.URL.Path, "/manifests/"); found {
			b.mu.Lock()
			b.heads = append(b.heads, r.Method+" "+reference)
			b.mu.Unlock()
			if b.busy.Load() {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	return b
}

// push puts another image at team/base:tag, and returns its digest.
func (b *baseRegistry) push(tag string) string {
	b.t.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := crane.Push(image, b.open+"/team/base:"+tag); err != nil {
		b.t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		b.t.Fatal(err)
	}
	return digest.String()
}

func (b *baseRegistry) base(tag, digest string) v1alpha1.BaseImage {
	return v1alpha1.BaseImage{Reference: b.host + "/team/base:" + tag, Digest: digest}
}

// asked is what was asked since the last call.
func (b *baseRegistry) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.heads
	b.heads = nil
	return asked
}

// awaitHeads waits until the registry was asked so often.
func (w *world) awaitHeads(b *baseRegistry, count int) {
	w.t.Helper()
	seen := 0
	w.eventually("the registry is asked", func() bool {
		seen += len(b.asked())
		return seen >= count
	})
}

// madeFrom makes an image that is watched, with a build that was made from bases.
func (w *world) madeFrom(name string, bases ...v1alpha1.BaseImage) *v1alpha1.Image {
	w.t.Helper()
	image := w.image(name, func(image *v1alpha1.Image) { image.Spec.Triggers.BaseImage = true })
	build := w.finished(image, 1, 1, time.Now().Add(-time.Minute))
	build.Status.Bases = bases
	w.writeStatus(build)
	w.change(image, "status", `{"status":{"lastBuildNumber":1}}`)
	return image
}

// watch runs a controller that asks for base images so often. There is no strategy: builds
// are made, and wait.
func (w *world) watch(every time.Duration, change ...func(*controller.Options)) (stop func()) {
	return w.run(append([]func(*controller.Options){func(o *controller.Options) {
		o.Strategy, o.BaseImageInterval, o.Registries = "none", every, registry.Rules{Loopback: true}
	}}, change...)...)
}

// rebuilt are an image's builds that a base image started.
func (w *world) rebuilt(image *v1alpha1.Image) []v1alpha1.Build {
	w.t.Helper()
	return slices.DeleteFunc(w.builds(), func(b v1alpha1.Build) bool {
		return b.Spec.Image.UID != string(image.UID) || b.Spec.Trigger != v1alpha1.TriggerBaseImage
	})
}

// said is what an image says of its base images.
func (w *world) said(image *v1alpha1.Image) string {
	w.t.Helper()
	if w.seen(image); image.Status.Triggers == nil {
		return ""
	}
	return image.Status.Triggers.BaseImageMessage
}

// TestBaseMoved holds which images are built anew when a base image moves, and what that
// costs.
func TestBaseMoved(t *testing.T) {
	w := newWorld(t)
	open, locked := newBaseRegistry(t, registrytest.None), newBaseRegistry(t, registrytest.Basic)
	before := open.push("1")
	app, other := w.madeFrom("app", open.base("1", before)), w.madeFrom("other", open.base("1", before), open.base("1", before))
	still := map[string]*v1alpha1.Image{
		"its base is named by a digest":       w.madeFrom("pinned", v1alpha1.BaseImage{Reference: open.host + "/team/base", Digest: before}),
		"it is suspended":                     w.madeFrom("suspended", open.base("1", before)),
		"base images do not start its builds": w.madeFrom("off", open.base("1", before)),
		"it has no base":                      w.madeFrom("scratch"),
	}
	w.change(still["it is suspended"], "", `{"spec":{"suspended":true}}`)
	w.change(still["base images do not start its builds"], "", `{"spec":{"triggers":{"baseImage":false}}}`)
	itself := w.madeFrom("itself", open.base("1", before))
	still["its base is what it pushes"] = itself
	for _, build := range w.builds() {
		if build.Spec.Image.UID == string(itself.UID) {
			build.Status.References = []string{open.host + "/team/base:1"}
			w.writeStatus(&build)
		}
	}
	private, untold := w.madeFrom("private", locked.base("1", locked.push("1"))), w.madeFrom("untold", open.base("2", ""))
	still["its base is private"], still["nobody knows which base it has"] = private, untold

	stop := w.watch(100 * time.Millisecond)
	w.awaitHeads(open, 3)
	w.eventually("a private base is said to be unwatched", func() bool { return strings.Contains(w.said(private), "needs a login, and is not watched") })
	w.eventually("so is one of an unknown digest", func() bool { return strings.Contains(w.said(untold), "does not tell which "+open.host+"/team/base:2") })
	stop()
	if builds := append(w.rebuilt(app), w.rebuilt(other)...); len(builds) != 0 || w.said(app) != "" {
		t.Fatalf("nothing moved: %+v, %q", builds, w.said(app))
	}

	after := open.push("1")
	stop = w.watch(time.Hour, func(o *controller.Options) { o.Billing = unpaid{w.billing} })
	w.eventually("the image says why it is not built", func() bool {
		return w.said(app) == "A base image moved, and no build was started: Pay first."
	})
	stop()
	open.asked()
	stop = w.watch(time.Hour)
	w.eventually("both images are built anew", func() bool { return len(w.rebuilt(app)) > 0 && len(w.rebuilt(other)) > 0 })
	w.eventually("nothing is wrong any more", func() bool { return w.said(app) == "" })
	stop()
	if asked := open.asked(); !slices.Equal(asked, []string{"HEAD 1"}) {
		t.Errorf("two images of one base, and one by a digest, cost %q", asked)
	}
	want := "base image " + open.host + "/team/base:1 moved from " + before[:19] + " to " + after[:19]
	for _, image := range []*v1alpha1.Image{app, other} {
		if builds := w.rebuilt(image); len(builds) != 1 || builds[0].Spec.TriggeredBy != want || builds[0].Spec.TriggerTime == nil || builds[0].Spec.Number != 2 {
			t.Errorf("%s: %+v, want one build, %q", image.Name, builds, want)
		}
	}
	for reason, image := range still {
		if builds := w.rebuilt(image); len(builds) != 0 {
			t.Errorf("%s: %+v", reason, builds)
		}
	}

	// The build fails: it is not made again, until somebody's succeeds or the base moves on.
	failed := w.rebuilt(app)[0]
	failed.Status.Phase, failed.Status.Reason = v1alpha1.PhaseFailed, v1alpha1.ReasonBuildFailed
	w.writeStatus(&failed)
	stop = w.watch(100 * time.Millisecond)
	w.awaitHeads(open, 3)
	if builds := w.rebuilt(app); len(builds) != 1 {
		t.Errorf("one move became %d builds", len(builds))
	}
	last := open.push("1")
	w.eventually("the next move builds", func() bool { return len(w.rebuilt(app)) == 2 })
	stop()
	// It comes back to what an older build was made from: that is a move like any other.
	second := w.rebuilt(app)[slices.IndexFunc(w.rebuilt(app), func(b v1alpha1.Build) bool { return b.Name != failed.Name })]
	end := metav1.Now()
	second.Status = v1alpha1.BuildStatus{Phase: v1alpha1.PhaseSucceeded, Reason: v1alpha1.ReasonPushed, StartTime: &end, CompletionTime: &end,
		Bases: []v1alpha1.BaseImage{open.base("1", last)}}
	w.writeStatus(&second)
	if err := crane.Tag(open.open+"/team/base@"+after, "1"); err != nil {
		t.Fatal(err)
	}
	w.watch(100 * time.Millisecond)
	w.eventually("the way back builds", func() bool { return len(w.rebuilt(app)) == 3 })
}

// TestBaseRegistryBusy: a registry that wants to be left alone is, for as long as it says,
// whatever else it would be asked for; others are asked.
func TestBaseRegistryBusy(t *testing.T) {
	w := newWorld(t)
	var ahead atomic.Int64
	asked, busy := newBaseRegistry(t, registrytest.None), newBaseRegistry(t, registrytest.None)
	first, second := busy.push("1"), busy.push("2")
	w.madeFrom("other", asked.base("1", asked.push("1")))
	one, two := w.madeFrom("one", busy.base("1", first)), w.madeFrom("two", busy.base("2", second))
	busy.push("1")
	busy.push("2")
	busy.busy.Store(true)
	w.watch(100*time.Millisecond, func(o *controller.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	w.awaitHeads(asked, 5)
	if heads := busy.asked(); len(heads) != 1 {
		t.Errorf("a registry that wants to be left alone was asked for %q", heads)
	}
	busy.busy.Store(false)
	ahead.Store(int64(59 * time.Minute))
	w.awaitHeads(asked, 5)
	if heads := busy.asked(); len(heads) != 0 {
		t.Errorf("it was asked for %q before its time", heads)
	}
	ahead.Store(int64(61 * time.Minute))
	w.eventually("both are built when it may be asked", func() bool { return len(w.rebuilt(one)) == 1 && len(w.rebuilt(two)) == 1 })
}

// dying is a connection that is lost for good when a build is made: before the API server
// heard of it, or after.
type dying struct {
	next  http.RoundTripper
	heard bool
	dead  context.Context
	kill  context.CancelFunc
}

func (d *dying) RoundTrip(request *http.Request) (*http.Response, error) {
	if d.dead.Err() != nil {
		return nil, errDead
	}
	if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/builds") {
		return d.next.RoundTrip(request)
	}
	defer d.kill()
	if !d.heard {
		return nil, errDead
	}
	response, err := d.next.RoundTrip(request)
	if err == nil {
		err = errors.Join(errDead, response.Body.Close())
	}
	return nil, err
}

// TestBaseMovedDies: a controller that dies between the question and the build, or before it
// knows of the build, leaves one build to the next.
func TestBaseMovedDies(t *testing.T) {
	w := newWorld(t)
	bases := newBaseRegistry(t, registrytest.None)
	for reason, heard := range map[string]bool{"before the build is made": false, "after it was made": true} {
		image := w.madeFrom(strings.Fields(reason)[0], bases.base("1", bases.push("1")))
		bases.push("1")
		dead, kill := context.WithCancel(context.Background())
		stop := w.watch(time.Hour, func(o *controller.Options) {
			o.Config = w.controllerConfig()
			o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &dying{next, heard, dead, kill} })
		})
		w.eventually("the controller dies "+reason, func() bool { return dead.Err() != nil })
		stop()
		if builds := w.rebuilt(image); (len(builds) == 1) != heard {
			t.Fatalf("%s: %+v", reason, builds)
		}
		stop = w.watch(100 * time.Millisecond)
		w.eventually("the next one builds", func() bool { return len(w.rebuilt(image)) > 0 })
		bases.asked()
		w.awaitHeads(bases, 3)
		stop()
		if builds := w.rebuilt(image); len(builds) != 1 {
			t.Errorf("%s: %+v, want one build", reason, builds)
		}
		w.delete(image)
	}
}
