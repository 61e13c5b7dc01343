package controller_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/deploy"
	"drydock.dev/drydock/graph/model"
)

// world is what the controller works in: a real control plane with a node, a git
// server, a registry, and the stand-in Stripe behind the real client.
type world struct {
	t          *testing.T
	kubeconfig string
	config     *rest.Config
	kube       client.WithWatch
	typed      *kubernetes.Clientset
	stripe     *billingtest.Server
	stripeURL  string
	billing    *billing.Client
	registry   string // host:port
	git        *gitServer
	login      string
	customer   string
	namespace  string
	now        func() time.Time
}

// newWorld gives a test an account of its own in the package's control plane.
func newWorld(t *testing.T) *world { return newWorldWith(t, billingtest.Options{Now: time.Now}) }

// newWorldWith is a world with another Stripe; all go by its clock.
func newWorldWith(t *testing.T, options billingtest.Options) *world {
	t.Helper()
	w := &world{t: t, kubeconfig: plane.Kubeconfig, now: options.Now}
	var err error
	if w.config, err = clientcmd.BuildConfigFromFlags("", w.kubeconfig); err != nil {
		t.Fatal(err)
	}
	w.config.QPS = -1
	objects := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(objects), v1alpha1.AddToScheme(objects)); err != nil {
		t.Fatal(err)
	}
	if w.kube, err = client.NewWithWatch(w.config, client.Options{Scheme: objects}); err != nil {
		t.Fatal(err)
	}
	if w.typed, err = kubernetes.NewForConfig(w.config); err != nil {
		t.Fatal(err)
	}
	if err := installed(); err != nil {
		t.Fatal(err)
	}
	w.startStripe(options)
	images := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, 0))))
	t.Cleanup(images.Close)
	w.registry = strings.TrimPrefix(images.URL, "http://")
	w.git = newGitServer(t)
	w.newAccount()
	return w
}

// installed installs what a controller needs, once for all tests: none changes it.
var installed = sync.OnceValue(func() error {
	var manifests [][]byte
	for _, name := range []string{"namespace.yaml", "rbac.yaml", "admission.yaml", "crds/drydock.dev_builds.yaml", "crds/drydock.dev_images.yaml", "strategies/buildah.yaml"} {
		manifest, err := deploy.Files.ReadFile(name)
		if err != nil {
			return err
		}
		manifests = append(manifests, manifest)
	}
	return cluster.Apply(context.Background(), plane.Kubeconfig, manifests...)
})

func (w *world) startStripe(options billingtest.Options) {
	w.t.Helper()
	var err error
	options.Limits = billingtest.Unlimited // each test has a Stripe of its own, and makes its accounts there
	if w.stripe, err = billingtest.New(options); err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(w.stripe)
	w.stripeURL = server.URL
	w.billing, err = billing.New(billing.Options{
		Key: "sk_test_controller", APIBase: server.URL, Now: w.now,
		// A machine that is slow for a moment is not Stripe that is slow.
		Timeout: patience, Patience: patience, Limits: billing.Limits{Total: 1e6, Endpoint: 1e6, Search: 1e6},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		w.billing.Close()
		server.Close()
		if err := w.stripe.Close(); err != nil {
			w.t.Error(err)
		}
	})
	if err := w.billing.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

var accounts struct {
	sync.Mutex
	last int
}

func (w *world) newAccount() {
	w.t.Helper()
	accounts.Lock()
	accounts.last++
	w.login = fmt.Sprintf("ada%d-%d", os.Getpid(), accounts.last)
	accounts.Unlock()
	account, err := w.billing.SignUp(w.t.Context(), model.Identity{Login: w.login})
	if err != nil {
		w.t.Fatal(err)
	}
	w.customer, w.namespace = account.CustomerID, v1alpha1.Namespace(w.login)
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace, Labels: map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(w.login)}, Annotations: map[string]string{v1alpha1.AnnotationLogin: w.login}}})
	namespace := w.namespace
	w.t.Cleanup(func() { w.clear(namespace) })
}

// clear removes what an account has, so that the next test's controller finds nothing
// of this one. Its own controller has ended: nobody else lets Builds go.
func (w *world) clear(namespace string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	in := client.InNamespace(namespace)
	var builds v1alpha1.BuildList
	err := errors.Join(w.kube.DeleteAllOf(ctx, &v1alpha1.Build{}, in),
		w.kube.DeleteAllOf(ctx, &batchv1.Job{}, in, client.PropagationPolicy(metav1.DeletePropagationBackground)),
		w.kube.DeleteAllOf(ctx, &corev1.Pod{}, in, client.GracePeriodSeconds(0)),
		w.kube.DeleteAllOf(ctx, &corev1.ConfigMap{}, in),
		w.kube.List(ctx, &builds, in))
	for i := range builds.Items {
		free := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		err = errors.Join(err, client.IgnoreNotFound(w.kube.Patch(ctx, &builds.Items[i], free)))
	}
	err = errors.Join(err, client.IgnoreNotFound(w.kube.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})))
	for left := 1; left > 0 && err == nil; time.Sleep(20 * time.Millisecond) {
		left = 0
		for _, list := range []client.ObjectList{&v1alpha1.BuildList{}, &batchv1.JobList{}, &corev1.PodList{}} {
			err = errors.Join(err, w.kube.List(ctx, list, in))
			left += meta.LenList(list)
		}
	}
	if err != nil {
		w.t.Errorf("namespace %s is not cleared: %v", namespace, err)
	}
}

// run runs a controller until the test, or the returned function, ends it.
func (w *world) run(change ...func(*controller.Options)) (stop func()) {
	w.t.Helper()
	_, stop = w.launch(change...)
	return stop
}

// start runs a controller until the test ends.
func (w *world) start(change ...func(*controller.Options)) *controller.Controller {
	w.t.Helper()
	running, _ := w.launch(change...)
	return running
}

func (w *world) launch(change ...func(*controller.Options)) (running *controller.Controller, stop func()) {
	w.t.Helper()
	options := controller.Options{Config: w.controllerConfig(), Billing: w.billing, Strategy: "buildah", Log: testLog(w.t), Now: w.now}
	for _, c := range change {
		c(&options)
	}
	var err error
	running, err = controller.New(options)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("controller: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return running, stop
}

// controllerConfig is what the controller's service account may do, and no more.
func (w *world) controllerConfig() *rest.Config {
	config := rest.CopyConfig(w.config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:drydock-system:drydock-controller",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"},
	}
	return config
}

// strategy is a shipped one.
func (w *world) strategy(name string) *corev1.PodTemplate {
	w.t.Helper()
	var strategy corev1.PodTemplate
	if err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: v1alpha1.SystemNamespace, Name: name}, &strategy); err != nil {
		w.t.Fatal(err)
	}
	return &strategy
}

// testLog shows what a controller said when its test fails.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (w *world) create(object client.Object) {
	w.t.Helper()
	if err := w.kube.Create(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

// image makes an image definition of a repository, pushed to the world's registry.
func (w *world) image(name string, change ...func(*v1alpha1.Image)) *v1alpha1.Image {
	w.t.Helper()
	image := &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	image.Spec.Recipe = v1alpha1.Recipe{
		Source:      v1alpha1.GitSource{Repository: w.git.url("sample"), Ref: "main"},
		Destination: w.registry + "/" + w.namespace + "/" + name,
	}
	for _, c := range change {
		c(image)
	}
	w.create(image)
	return image
}

// build starts a build of an image.
func (w *world) build(image *v1alpha1.Image, number int64, change ...func(*v1alpha1.Build)) *v1alpha1.Build {
	w.t.Helper()
	build := &v1alpha1.Build{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprintf("%s-%d", image.Name, number)}}
	build.Spec = v1alpha1.BuildSpec{
		Account: w.login,
		Image:   v1alpha1.ImageReference{Name: image.Name, UID: string(image.UID)},
		Number:  number,
		Recipe:  *image.Spec.Recipe.DeepCopy(),
		Limits: v1alpha1.BuildLimits{
			ConcurrentBuilds: 20, TimeoutSeconds: 120, CPU: resource.MustParse("1"), Memory: resource.MustParse("1Gi"),
		},
	}
	for _, c := range change {
		c(build)
	}
	w.create(build)
	return build
}

// patience bounds what a test waits for.
const patience = 3 * time.Minute

// await waits until a build is as told; it fails the test when its patience is over.
func (w *world) await(build *v1alpha1.Build, what string, is func(*v1alpha1.Build) bool) *v1alpha1.Build {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var now v1alpha1.Build
		err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(build), &now)
		if err == nil && is(&now) {
			return &now
		}
		if err != nil || time.Now().After(deadline) {
			w.t.Fatalf("build %s is not %s: %v: %+v", build.Name, what, err, now.Status)
		}
		pause(w.t)
	}
}

// eventually waits until something holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); pause(w.t) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not so after %s: %s", patience, what)
		}
	}
}

// pause is between two looks at the world.
func pause(t *testing.T) {
	select {
	case <-t.Context().Done():
	case <-time.After(50 * time.Millisecond):
	}
}

func ended(build *v1alpha1.Build) bool { return build.Status.Phase.Done() }

func billed(build *v1alpha1.Build) bool { return ended(build) && build.Status.Billing != nil }

func building(build *v1alpha1.Build) bool {
	return build.Status.Phase == v1alpha1.PhaseRunning && build.Status.Reason == v1alpha1.ReasonBuilding
}

func queued(build *v1alpha1.Build) bool {
	return build.Status.Phase == v1alpha1.PhaseQueued && build.Status.Reason == v1alpha1.ReasonPlanLimit
}

// cancel asks to end a build, as the gateway does.
func (w *world) cancel(build *v1alpha1.Build) {
	w.t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationCancelRequested, time.Now().UTC().Format(time.RFC3339))
	object := &v1alpha1.Build{ObjectMeta: metav1.ObjectMeta{Namespace: build.Namespace, Name: build.Name}}
	if err := w.kube.Patch(w.t.Context(), object, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(object client.Object, options ...client.DeleteOption) {
	w.t.Helper()
	if err := w.kube.Delete(w.t.Context(), object, options...); err != nil && !apierrors.IsNotFound(err) {
		w.t.Fatal(err)
	}
}

// metered is what Stripe holds of the account.
func (w *world) metered() int64 {
	return w.stripe.MeterSum(w.customer, time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour))
}

// builds are all of the account.
func (w *world) builds() []v1alpha1.Build {
	w.t.Helper()
	var list v1alpha1.BuildList
	if err := w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}
