package conversion_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/conversion"
)

// definitions are those that have two versions.
var definitions = []string{"builds.drydock.dev", "images.drydock.dev"}

// world is a control plane with the definitions as deploy/ has them, and a webhook.
type world struct {
	t *testing.T
	client.WithWatch
	config  *rest.Config
	address string
	server  *http.Server
	// keeper is the replica that the API server calls.
	keeper atomic.Pointer[conversion.Keeper]
	// down lets the webhook refuse every call; calls are those that it took.
	down  atomic.Bool
	calls atomic.Int64
	// called is told of each call before it is answered.
	called atomic.Pointer[func()]
}

// newWorld installs deploy/ with its component conversion. Both versions are served when it
// returns. The tests of this package share a control plane, and follow each other.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	var err error
	w.config, err = clientcmd.BuildConfigFromFlags("", plane.Kubeconfig)
	w.must(err)
	w.config.QPS = -1
	objects := runtime.NewScheme()
	w.must(errors.Join(scheme.AddToScheme(objects), apiextensionsv1.AddToScheme(objects), v1alpha1.AddToScheme(objects), v1beta1.AddToScheme(objects)))
	w.WithWatch, err = client.NewWithWatch(w.config, client.Options{Scheme: objects})
	w.must(err)
	w.must(cluster.Apply(t.Context(), plane.Kubeconfig, manifests(t, "namespace.yaml", "rbac.yaml", "components/conversion/conversion.yaml",
		"crds/drydock.dev_builds.yaml", "crds/drydock.dev_images.yaml")...))
	keeper := w.replica(time.Now)
	w.keeper.Store(keeper)
	w.serve()
	w.install()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); keeper.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.eventually("both versions are served", func() bool {
		return w.List(t.Context(), &v1beta1.ImageList{}) == nil && w.List(t.Context(), &v1beta1.BuildList{}) == nil && keeper.Ready() == nil
	})
	for _, kind := range []string{"Image", "Build"} {
		w.eventually("the API server trusts the webhook to convert "+kind+"s", func() bool {
			probe := sample(kind, "v1beta1", "default", "probe")
			return w.Create(t.Context(), probe) == nil && w.Delete(t.Context(), probe) == nil
		})
	}
	return w
}

// replica makes one replica's Keeper, with the rights of the controller's service account.
func (w *world) replica(now func() time.Time) *conversion.Keeper {
	w.t.Helper()
	config := rest.CopyConfig(w.config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:drydock-system:drydock-controller",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"},
	}
	keeper, err := conversion.NewKeeper(conversion.KeeperOptions{
		Config: config, Namespace: v1alpha1.SystemNamespace, Log: testLog(w.t), Now: now,
	})
	w.must(err)
	return keeper
}

// serve serves the webhook on loopback until the test ends.
func (w *world) serve() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.address = listener.Addr().String()
	handler := conversion.Handler(prometheus.NewRegistry())
	w.server = &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			http.Error(rw, "down", http.StatusServiceUnavailable)
			return
		}
		w.calls.Add(1)
		if called := w.called.Load(); called != nil {
			(*called)()
		}
		handler.ServeHTTP(rw, r)
	})}
	config := &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return w.keeper.Load().TLS(), nil
	}}
	go func() { _ = w.server.Serve(tls.NewListener(listener, config)) }()
	w.t.Cleanup(func() { _ = w.server.Close() })
}

// install does to the definitions what the component does, with an address on loopback in
// place of the Service: there is no network of Services here.
func (w *world) install() {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "components", "conversion", "definitions.yaml"))
	w.must(err)
	patch, err := yaml.YAMLToJSON(text)
	w.must(err)
	var operations []map[string]any
	w.must(json.Unmarshal(patch, &operations))
	operations = append(operations,
		map[string]any{"op": "remove", "path": "/spec/conversion/webhook/clientConfig/service"},
		map[string]any{"op": "add", "path": "/spec/conversion/webhook/clientConfig/url", "value": "https://" + w.address + "/convert"})
	for _, name := range definitions {
		w.patch(name, operations)
	}
}

// store makes a version the one that objects are stored in, and waits until the API server
// does so: one that is made with the webhook down needs no conversion.
func (w *world) store(version string) {
	w.t.Helper()
	for _, name := range definitions {
		w.patch(name, []map[string]any{
			{"op": "replace", "path": "/spec/versions/0/storage", "value": version == "v1alpha1"},
			{"op": "replace", "path": "/spec/versions/1/storage", "value": version == "v1beta1"},
		})
	}
	w.down.Store(true)
	defer w.down.Store(false)
	for _, kind := range []string{"Image", "Build"} {
		w.eventually(kind+"s are stored as "+version, func() bool {
			probe := sample(kind, version, "default", "probe")
			return w.Create(w.t.Context(), probe) == nil && w.Delete(w.t.Context(), probe) == nil
		})
	}
}

// stored are the versions that a definition's objects may be stored in, by its status.
func (w *world) stored(definition string) []string {
	w.t.Helper()
	return slices.Sorted(slices.Values(w.definition(definition).Status.StoredVersions))
}

func (w *world) definition(name string) *apiextensionsv1.CustomResourceDefinition {
	w.t.Helper()
	definition := &apiextensionsv1.CustomResourceDefinition{}
	w.must(w.Get(w.t.Context(), client.ObjectKey{Name: name}, definition))
	return definition
}

func (w *world) patch(definition string, operations []map[string]any) {
	w.t.Helper()
	patch, err := json.Marshal(operations)
	w.must(err)
	w.must(w.Patch(w.t.Context(), w.definition(definition), client.RawPatch(types.JSONPatchType, patch)))
}

// namespace is a test's own, without objects from before.
func (w *world) namespace() string {
	w.t.Helper()
	namespace := &corev1.Namespace{}
	namespace.GenerateName = "drydock-conversion-"
	w.must(w.Create(w.t.Context(), namespace))
	return namespace.Name
}

// eventually waits until something holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("not so after two minutes: %s", what)
		}
		select {
		case <-w.t.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func manifests(t *testing.T, names ...string) [][]byte {
	t.Helper()
	var all [][]byte
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("..", "deploy", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
