package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
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
	// from is this replica in the log.
	from string
	pace *rate.Limiter

	// at and met are how far this replica has read, and whether it has read at all.
	at  noticePosition
	met bool

	mu sync.Mutex
	// newest is the newest state of the ConfigMap that is known, to write upon.
	newest *corev1.ConfigMap
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
		contact: newContact("notices", options.Now), options: options, core: core, from: rand.Text()[:10],
		pace: rate.NewLimiter(announcePace, announceBurst), metrics: newNoticeMetrics(options.Registerer),
	}
	n.life, n.stop = context.WithCancel(klog.NewContext(context.Background(), logr.FromSlogHandler(options.Log.Handler())))
	return n, nil
}

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

// read takes in a state of the ConfigMap, which may be gone.
func (n *Notices) read(all []*corev1.ConfigMap) {
	var state *corev1.ConfigMap
	log, err := noticeLog{}, errors.New("there is no log")
	if len(all) > 0 {
		state = all[0]
		log, err = parseLog(state.Data)
	}
	n.keep(state)
	entries, ok := log.since(n.at)
	if err != nil || !ok || !n.met {
		if n.met {
			n.options.Log.Warn("notices may be lost: dropping all that is cached", "error", err, "log", n.at.log, "read", n.at.last, "newest", log.last())
		}
		n.miss()
	} else {
		n.hearEntries(entries)
	}
	n.met, n.at = true, noticePosition{}
	if err == nil {
		n.at = noticePosition{log: log.id, last: log.last()}
	}
}

// hearEntries tells what others announced.
func (n *Notices) hearEntries(entries []noticeEntry) {
	var notices []string
	for _, e := range entries {
		switch {
		case e.From == n.from:
		case e.All:
			n.miss()
		default:
			notices = append(notices, e.Notices...)
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
