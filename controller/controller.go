package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/github"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/signing"
	"drydock.dev/drydock/webhook"
)

// LeaseName is the Lease by which replicas elect their leader.
const LeaseName = "drydock-controller"

// conflictPause lets the cache catch up after a write met a newer object.
const conflictPause = 100 * time.Millisecond

// Options say how a controller runs.
type Options struct {
	// Config leads to the Kubernetes API.
	Config *rest.Config
	// Billing keeps accounts' usage.
	Billing Billing
	// Strategy is the name of the build strategy, see v1alpha1.LabelStrategy.
	Strategy string
	// Namespace holds strategies and the Lease; v1alpha1.SystemNamespace where empty.
	Namespace string
	// LeaderElection lets several replicas run, of which one works.
	LeaderElection bool
	// LeaseDuration after which a leader that fell silent is replaced; 15 s where 0.
	LeaseDuration time.Duration
	// ReconcileEvery is how often meter and builds are compared; 24 h where 0.
	ReconcileEvery time.Duration
	// KeepBuilds is how many builds of an image are kept where the plan does not say; all where 0.
	KeepBuilds int
	// KeepBuildsFor is how long after their end they are kept, likewise; for ever where 0.
	KeepBuildsFor time.Duration
	// WebhookRules say where images' webhooks may lead, SigningKeys sign what they are told;
	// without keys nobody is. WebhookPauses follow failed attempts; nil: over nine hours.
	WebhookRules  webhook.Rules
	SigningKeys   *signing.Keys
	WebhookPauses []time.Duration
	// GitHub is told of builds of its commits; may be nil.
	GitHub *github.Client
	// GitHubOwners are the owners whose repositories any account's builds may be shown in,
	// besides an account's own; "*" is everybody.
	GitHubOwners []string
	// PublicURL is where people see builds; may be empty.
	PublicURL string
	// MinScheduleInterval is the shortest time between two runs of an image's schedule.
	MinScheduleInterval time.Duration
	// BaseImageInterval is how often a base image is asked for; 15 min where 0.
	BaseImageInterval time.Duration
	// Registries say which registries are asked for base images, and, for builds, which
	// may speak plain HTTP.
	Registries registry.Rules
	// MaxBuilds is how many builds run at once in the whole cluster, whatever plans allow;
	// no bound where 0.
	MaxBuilds int
	// Network is what builds may reach.
	Network Network
	// Workers of each reconciler; 8 where 0.
	Workers int
	Log     *slog.Logger
	// Registerer takes the metrics; none are kept where nil.
	Registerer prometheus.Registerer
	// Now is the clock; time.Now where nil.
	Now func() time.Time
}

// Controller runs the reconcilers.
type Controller struct {
	manager manager.Manager
	synced  atomic.Bool
	find    strategies
}

// deps is what every reconciler works with.
type deps struct {
	client.Client               // reads from the cache
	live          client.Reader // reads from the API server
	now           func() time.Time
	log           *slog.Logger
	metrics       *metrics
	events        teller
}

// part is a reconciler.
type part interface {
	setup(manager.Manager, controller.Options) error
}

// New makes a controller; Run starts it. It fails where the API server is not reached.
func New(opts Options) (*Controller, error) {
	opts = opts.withDefaults()
	if opts.Billing == nil || opts.Config == nil || opts.Log == nil {
		return nil, errors.New("controller: Config, Billing and Log are needed")
	}
	opts.Config = rest.CopyConfig(opts.Config)
	opts.Config.QPS = -1 // the API server's priority and fairness is the judge, not client-go's 5 requests a second
	mgr, err := newManager(opts)
	if err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	typed, err := kubernetes.NewForConfig(opts.Config)
	if err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	d := deps{Client: mgr.GetClient(), live: mgr.GetAPIReader(), now: opts.Now, log: opts.Log, metrics: newMetrics(opts.Registerer),
		events: teller{mgr.GetEventRecorder(eventSource)}}
	sender, err := webhook.NewSender(opts.WebhookRules, opts.Registerer, opts.Now)
	if err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	registries, err := registry.NewLogins(registry.Options{Rules: opts.Registries, Registerer: opts.Registerer})
	if err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	find := strategies{reader: mgr.GetClient(), namespace: opts.Namespace, name: opts.Strategy}
	parts := []part{
		&queue{deps: d, billing: opts.Billing, find: find, insecure: opts.Registries.Insecure, places: &places{most: opts.MaxBuilds, now: opts.Now}},
		&walls{deps: d, billing: opts.Billing, find: find, network: opts.Network,
			counting: &counting{Client: d.Client, live: d.live, namespace: opts.Namespace, now: time.Now}},
		&runs{deps: d, logs: newLogKeeper(d, typed.CoreV1())},
		&meters{reporter{d, opts.Billing}, ledger{d.Client, d.log}},
		&late{reporter{d, opts.Billing}, ledger{d.Client, d.log}},
		&retries{d},
		&latest{deps: d},
		&schedules{launcher{d, opts.Billing}, opts.MinScheduleInterval},
		&hooks{deps: d, sender: sender, keys: opts.SigningKeys, page: pages(opts.PublicURL), pauses: opts.WebhookPauses},
		&retention{deps: d, billing: opts.Billing, keep: keep{builds: opts.KeepBuilds, age: opts.KeepBuildsFor}},
	}
	if opts.GitHub != nil {
		parts = append(parts, &statuses{deps: d, github: opts.GitHub, owners: opts.GitHubOwners, page: pages(opts.PublicURL)})
	}
	for _, part := range parts {
		if err := part.setup(mgr, controllerOptions(opts)); err != nil {
			return nil, fmt.Errorf("controller: %w", err)
		}
	}
	books := &Books{reporter: reporter{d, opts.Billing}, ledger: ledger{d.Client, d.log}}
	if err := mgr.Add(&daily{books, opts.ReconcileEvery, d.metrics}); err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	watching := &polls{registries: registries, every: opts.BaseImageInterval, now: opts.Now, log: opts.Log, rests: map[string]time.Time{}}
	if err := mgr.Add(&bases{launcher: launcher{d, opts.Billing}, polls: watching}); err != nil {
		return nil, fmt.Errorf("controller: %w", err)
	}
	return &Controller{manager: mgr, find: find}, nil
}

func (o Options) withDefaults() Options {
	if o.Namespace == "" {
		o.Namespace = v1alpha1.SystemNamespace
	}
	if o.LeaseDuration == 0 {
		o.LeaseDuration = 15 * time.Second
	}
	if o.ReconcileEvery == 0 {
		o.ReconcileEvery = 24 * time.Hour
	}
	if o.BaseImageInterval == 0 {
		o.BaseImageInterval = 15 * time.Minute
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.WebhookPauses == nil {
		o.WebhookPauses = hookPauses()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func controllerOptions(opts Options) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: opts.Workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, time.Minute),
		ReconciliationTimeout:   2 * time.Minute,
	}
}

// +kubebuilder:rbac:roleName=drydock-controller,namespace=drydock-system,groups=coordination.k8s.io,resources=leases,verbs=create
// +kubebuilder:rbac:roleName=drydock-controller,namespace=drydock-system,groups=coordination.k8s.io,resources=leases,resourceNames=drydock-controller,verbs=get;update
// +kubebuilder:rbac:roleName=drydock-controller,namespace=drydock-system,groups="",resources=events,verbs=create;patch

func newManager(opts Options) (manager.Manager, error) {
	objects := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(objects), v1alpha1.AddToScheme(objects)); err != nil {
		return nil, err
	}
	// As client-go advises: renew within two thirds of the lease, try five times per lease.
	renew, retry := opts.LeaseDuration*2/3, opts.LeaseDuration/5
	grace := 20 * time.Second
	// controller-runtime's own priority queue hands an item to a worker that may have left on
	// shutdown, and then waits for ever, holding the lock that the others need.
	anyName, priorityQueue := true, false
	return manager.New(opts.Config, manager.Options{
		Scheme:                        objects,
		Logger:                        logr.FromSlogHandler(opts.Log.Handler()),
		Cache:                         cacheOptions(opts.Namespace),
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.ConfigMap{}}}},
		Metrics:                       server.Options{BindAddress: "0"},
		HealthProbeBindAddress:        "0",
		LeaderElection:                opts.LeaderElection,
		LeaderElectionID:              LeaseName,
		LeaderElectionNamespace:       opts.Namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &opts.LeaseDuration,
		RenewDeadline:                 &renew,
		RetryPeriod:                   &retry,
		GracefulShutdownTimeout:       &grace,
		Controller:                    config.Controller{SkipNameValidation: &anyName, UsePriorityQueue: &priorityQueue},
	})
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds;images,verbs=list;watch
// +kubebuilder:rbac:roleName=drydock-controller,groups=batch,resources=jobs,verbs=list;watch
// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:roleName=drydock-controller,namespace=drydock-system,groups="",resources=podtemplates,verbs=list;watch

// cacheOptions keep of the cluster what concerns builds, without managedFields.
func cacheOptions(namespace string) cache.Options {
	ours, err := labels.NewRequirement(v1alpha1.LabelBuild, selection.Exists, nil)
	if err != nil {
		panic(err) // constant arguments
	}
	account, err := labels.NewRequirement(v1alpha1.LabelAccount, selection.Exists, nil)
	if err != nil {
		panic(err)
	}
	builds, accounts := labels.NewSelector().Add(*ours), labels.NewSelector().Add(*account)
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&batchv1.Job{}:                {Label: builds},
			&corev1.Pod{}:                 {Label: builds},
			&corev1.Namespace{}:           {Label: accounts},
			&corev1.ResourceQuota{}:       {Label: accounts},
			&corev1.LimitRange{}:          {Label: accounts},
			&networkingv1.NetworkPolicy{}: {Label: accounts},
			&corev1.PodTemplate{}:         {Namespaces: map[string]cache.Config{namespace: {}}},
		},
	}
}

// Run works until the context ends, then lets the reconciles under way finish and
// hands the lease on. It fails when the lease is lost.
func (c *Controller) Run(ctx context.Context) error {
	go func() {
		if c.manager.GetCache().WaitForCacheSync(ctx) {
			c.synced.Store(true)
		}
	}()
	if err := c.manager.Start(ctx); err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	return nil
}

// Ready is nil when the controller can do its work, or stands by to do it.
func (c *Controller) Ready(ctx context.Context) error {
	if !c.synced.Load() {
		return errors.New("the caches of Kubernetes objects are not filled yet")
	}
	_, err := c.find.get(ctx)
	return err
}

// Elected is closed once this replica is the one that works.
func (c *Controller) Elected() <-chan struct{} { return c.manager.Elected() }

// Leading tells whether this replica is the one that works.
func (c *Controller) Leading() bool {
	select {
	case <-c.manager.Elected():
		return true
	default:
		return false
	}
}

// calm turns a conflict into another try: the object changed since it was read, or
// the cache had not heard of our own last write. Both are normal.
func calm(result reconcile.Result, err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return result, err
}

func keyOf(object metav1.Object) client.ObjectKey {
	return client.ObjectKey{Namespace: object.GetNamespace(), Name: object.GetName()}
}
