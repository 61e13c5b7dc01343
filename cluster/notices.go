package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"drydock.dev/drydock/api/v1alpha1"
)

// NoticesName is the ConfigMap by which replicas tell each other what changed.
const NoticesName = "drydock-notices"

// NoticesOptions says where the log of notices is, and who listens.
type NoticesOptions struct {
	// Kubeconfig is the path of a kubeconfig file; empty: the pod's service account.
	Kubeconfig string
	// UserAgent is what the API server's audit log shows; empty: drydock.
	UserAgent string
	// Namespace holds the ConfigMap; v1alpha1.SystemNamespace where empty.
	Namespace string
	// Heard is told what other replicas announced, in order; the same may come twice.
	Heard func(notices []string)
	// Missed is called where announcements may have been lost: everything may have changed.
	// That is so at the start, too. Neither waits for anything, nor calls Notices.
	Missed func()
	// Log may be nil: nothing is logged.
	Log *slog.Logger
	// Registerer may be nil: nothing is measured.
	Registerer prometheus.Registerer
	// Now may be nil: the real clock.
	Now func() time.Time
}

// Notices is how replicas tell each other what changed: a small, bounded log in one
// ConfigMap, which every replica watches. What a notice means is its readers' affair.
type Notices struct {
	*contact
	options NoticesOptions
	core    *rest.RESTClient
	// replica is this one in the log.
	replica string
	pace    *rate.Limiter

	// log is the state that was read last, met whether one was read at all.
	log noticeLog
	met bool

	mu sync.Mutex
	// seen is since when each entry has been there; number is this replica's last one, own
	// are those that it did not drop yet.
	seen   map[string]time.Time
	number int
	own    ownEntries
	// waiting is what is announced next; writing tells that somebody does so.
	waiting *announcement
	writing bool

	metrics noticeMetrics

	// life ends with Close, which waits for work.
	life context.Context
	stop context.CancelFunc
	work sync.WaitGroup
}

// NewNotices makes one replica's end. Nothing is asked of the cluster before Start or
// the first Announce.
func NewNotices(options NoticesOptions) (*Notices, error) {
	if options.Heard == nil || options.Missed == nil {
		return nil, errors.New("cluster: notices need Heard and Missed")
	}
	if options.Namespace == "" {
		options.Namespace = v1alpha1.SystemNamespace
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	server, err := connect(options.Kubeconfig, options.UserAgent, options.Registerer)
	if err != nil {
		return nil, err
	}
	core, err := server.group(corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	n := &Notices{
		contact: newContact("notices", options.Now), options: options, core: core, replica: rand.Text()[:10],
		pace: rate.NewLimiter(announcePace, announceBurst), metrics: newNoticeMetrics(options.Registerer),
	}
	n.life, n.stop = context.WithCancel(klog.NewContext(context.Background(), logr.FromSlogHandler(options.Log.Handler())))
	return n, nil
}

// +kubebuilder:rbac:roleName=drydock-replicas,namespace=drydock-system,groups="",resources=configmaps,resourceNames=drydock-notices,verbs=list;watch

// Start begins to watch, and returns when the log is read, or when the context ends. The
// watch goes on until Close.
// Kubernetes: one WATCH of one ConfigMap.
func (n *Notices) Start(ctx context.Context) error {
	started := n.spawn(func() {
		watched{name: n.name, prototype: &corev1.ConfigMap{}, failed: n.fail,
			ask:    func() *rest.Request { return n.core.Get().Namespace(n.options.Namespace).Resource("configmaps") },
			choose: metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, NoticesName).String()},
			store:  newMirror(n.contact, n.read),
		}.run(n.life, n.options.Log)
	})
	if !started {
		return n.life.Err()
	}
	select {
	case <-n.synced:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), n.Ready())
	case <-n.life.Done():
		return n.life.Err()
	}
}

// read takes in a state of the ConfigMap, which may be gone. Following states come one by
// one, others after a watch that was lost.
func (n *Notices) read(all []*corev1.ConfigMap, following bool) {
	var state *corev1.ConfigMap
	if len(all) > 0 {
		state = all[0]
	}
	before := n.log
	n.log = newNoticeLog(state)
	n.look(n.log.entries())
	added, ok := n.log.since(before, following)
	switch {
	case ok && n.met:
		n.hearEntries(added)
	case n.met:
		n.options.Log.Warn("notices may be lost: dropping all that is cached", "deleted", state == nil, "following", following)
		n.miss()
	default:
		n.met = true
		n.miss()
	}
}

// look notes since when entries have been there.
func (n *Notices) look(entries []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen, now := make(map[string]time.Time, len(entries)), n.options.Now()
	for _, key := range entries {
		seen[key] = now
		if since, known := n.seen[key]; known {
			seen[key] = since
		}
	}
	n.seen = seen
}

// hearEntries tells what others announced.
func (n *Notices) hearEntries(keys []string) {
	var notices []string
	for _, key := range keys {
		switch replica, _ := replicaOf(key); {
		case replica == n.replica:
		case n.log.data[key] == allChanged:
			n.miss()
		default:
			notices = append(notices, strings.Split(n.log.data[key], "\n")...)
		}
	}
	if len(notices) > 0 {
		n.metrics.heard.Add(float64(len(notices)))
		n.options.Heard(notices)
	}
}

func (n *Notices) miss() {
	n.metrics.missed.Inc()
	n.options.Missed()
}

// Ready is nil once the log is read. It stays so when the API server is lost later.
func (n *Notices) Ready() error { return n.ready() }

// Details tell how the watch stands.
func (n *Notices) Details() map[string]any { return n.details() }

// Close ends the watch and what is being announced.
func (n *Notices) Close() {
	n.mu.Lock()
	n.stop()
	n.mu.Unlock()
	n.work.Wait()
	n.core.Client.CloseIdleConnections()
}

// spawn runs a function that Close waits for; false after Close.
func (n *Notices) spawn(run func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life.Err() != nil {
		return false
	}
	n.work.Go(run)
	return true
}

// noticeMetrics count what is told.
type noticeMetrics struct{ announced, heard, missed prometheus.Counter }

func newNoticeMetrics(registerer prometheus.Registerer) noticeMetrics {
	make := promauto.With(registerer)
	notices := make.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_notices_total", Help: "Notices to and from other replicas, by direction: announced or heard.",
	}, []string{"direction"})
	return noticeMetrics{
		announced: notices.WithLabelValues("announced"), heard: notices.WithLabelValues("heard"),
		missed: make.NewCounter(prometheus.CounterOpts{
			Name: "drydock_notices_missed_total", Help: "How often notices may have been lost, so that all that was cached was dropped; the start counts as one.",
		}),
	}
}
