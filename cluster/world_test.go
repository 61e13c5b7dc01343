package cluster_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// patience bounds every wait for something that must happen.
const patience = 2 * time.Minute

// world is a real control plane with the CRDs, and a way to it beside the tested one:
// to look, and to do what the controller does.
type world struct {
	client.Client
	kubeconfig string
}

// shared is the control plane of this package's tests, each of which has accounts of its own.
var shared *clustertest.Cluster

func TestMain(m *testing.M) {
	os.Exit(clustertest.Run(m, func(c *clustertest.Cluster) { shared = c }))
}

func newWorld(t *testing.T) *world {
	t.Helper()
	must(t, cluster.Apply(t.Context(), shared.Kubeconfig, crds(t)...))
	return worldOf(t, shared)
}

func crds(t *testing.T) (manifests [][]byte) {
	t.Helper()
	for _, name := range []string{"builds", "images"} {
		manifest, err := deploy.Files.ReadFile("crds/drydock.dev_" + name + ".yaml")
		must(t, err)
		manifests = append(manifests, manifest)
	}
	return manifests
}

func worldOf(t *testing.T, c *clustertest.Cluster) *world {
	t.Helper()
	w := &world{kubeconfig: c.Kubeconfig}
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	must(t, err)
	config.QPS = -1
	scheme := runtime.NewScheme()
	must(t, v1alpha1.AddToScheme(scheme))
	must(t, corev1.AddToScheme(scheme))
	must(t, discoveryv1.AddToScheme(scheme))
	w.Client, err = client.New(config, client.Options{Scheme: scheme})
	must(t, err)
	return w
}

// connect is a client that has read everything.
func (w *world) connect(t *testing.T, registerer prometheus.Registerer) *cluster.Client {
	t.Helper()
	c, err := cluster.New(cluster.Options{Kubeconfig: w.kubeconfig, Registerer: registerer,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	must(t, err)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, c.Start(ctx))
	return c
}

// status writes a build's status as the controller does.
func (w *world) status(t *testing.T, key model.Key, change func(*v1alpha1.BuildStatus)) {
	t.Helper()
	var b v1alpha1.Build
	must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(key.Login), Name: key.Name}, &b))
	change(&b.Status)
	must(t, w.Status().Update(t.Context(), &b))
}

func ended(phase v1alpha1.BuildPhase) func(*v1alpha1.BuildStatus) {
	return func(s *v1alpha1.BuildStatus) { s.Phase = phase }
}

// newLogin is a login that no other test has.
func newLogin() string { return "t" + strings.ToLower(rand.Text()[:10]) }

// input is a legal new image.
func input(name string) model.CreateImageInput {
	return model.CreateImageInput{
		Name:        name,
		Source:      &model.GitSourceInput{Repository: "https://git.example.com/team/app.git", Ref: "main", Context: ".", Dockerfile: "Dockerfile"},
		Destination: "registry.example.com/team/app",
		Tags:        []string{"latest"},
	}
}

func plan() *model.Plan {
	return &model.Plan{ProductID: "prod_test", Limits: &model.PlanLimits{ConcurrentBuilds: 2, Images: 10,
		IncludedBuildMinutes: 100, BuildTimeoutSeconds: 600, CPU: "500m", Memory: "1Gi"}}
}

func create(t *testing.T, c *cluster.Client, login, name string) *model.Image {
	t.Helper()
	image, err := c.CreateImage(t.Context(), model.Owner{Login: login}, input(name), 1000)
	must(t, err)
	return image
}

func start(t *testing.T, c *cluster.Client, key model.Key) *model.Build {
	t.Helper()
	b, err := c.StartBuild(t.Context(), model.BuildStart{Image: key, Trigger: model.BuildTriggerManual, Plan: plan()})
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault checks a failure's kind, and that its words tell something.
func wantFault(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("got %v, want %s", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(fault.PublicOf(err), word) {
			t.Errorf("%q does not tell of %q", fault.PublicOf(err), word)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for tick := time.Tick(20 * time.Millisecond); !holds(); {
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// next takes from a channel; not ok when it was closed.
func next[T any](t *testing.T, from <-chan T) (value T, ok bool) {
	t.Helper()
	select {
	case value, ok = <-from:
	case <-time.After(patience):
		t.Fatalf("nothing came within %s", patience)
	}
	return value, ok
}

func names[T any](items []T, name func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return slices.Clip(all)
}
