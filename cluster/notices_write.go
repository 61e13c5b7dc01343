package cluster

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/fault"
)

const (
	// announcePace bounds the writes a second of all replicas together: etcd keeps every one
	// of them for minutes, and writers meet in one object. What comes faster is written
	// together; a few may come at once.
	announcePace  = 25
	announceBurst = 5
	// announceTime bounds one write with its repetitions. announcePause is about the pause
	// before one: whoever lost a race shall not lose the next to the pace of the others.
	announceTime  = 10 * time.Second
	announcePause = 5 * time.Millisecond
)

// announcement is what is written at once, of one Announce or of many.
type announcement struct {
	notices []string
	// written is closed when it is written, or failed with err.
	written chan struct{}
	err     error
}

// Announce tells the other replicas; when it returns nil, all of them will hear, or know
// that they missed something. Else it is fault.Unavailable, or the context's end, and
// whether they will is open.
// Kubernetes: PUT of one ConfigMap, with a GET before it where somebody else wrote in
// between; calls that come at the same time share them.
func (n *Notices) Announce(ctx context.Context, notices []string) error {
	if len(notices) == 0 {
		return nil
	}
	a := n.join(notices)
	if a == nil {
		return fault.Wrap(fault.Unavailable, context.Cause(n.life))
	}
	select {
	case <-a.written:
		return a.err
	case <-ctx.Done():
		return translate(ctx.Err())
	}
}

// join adds notices to what is written next; nil after Close.
func (n *Notices) join(notices []string) *announcement {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life.Err() != nil {
		return nil
	}
	if n.waiting == nil {
		n.waiting = &announcement{written: make(chan struct{})}
	}
	for _, notice := range notices {
		if !slices.Contains(n.waiting.notices, notice) {
			n.waiting.notices = append(n.waiting.notices, notice)
		}
	}
	if !n.writing {
		n.writing = true
		n.work.Go(n.writeAll)
	}
	return n.waiting
}

// writeAll writes until nothing waits any more.
func (n *Notices) writeAll() {
	for n.anyWaiting() {
		_ = n.pace.Wait(n.life) // ends at once after Close; then the write fails
		n.mu.Lock()
		a := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		ctx, cancel := context.WithTimeout(n.life, announceTime)
		if err := n.write(ctx, a.notices); err != nil {
			a.err = fault.Wrap(fault.Unavailable, err)
		} else {
			n.metrics.announced.Add(float64(len(a.notices)))
		}
		cancel()
		close(a.written)
	}
}

func (n *Notices) anyWaiting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.writing = n.waiting != nil
	return n.writing
}

// write adds an entry to the log, which is begun anew where it is missing or unreadable.
// Where another replica wrote in between, it is done again on what that one left.
func (n *Notices) write(ctx context.Context, notices []string) error {
	n.mu.Lock()
	state := n.newest
	n.mu.Unlock()
	for {
		err := n.put(ctx, state, notices)
		if fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.AlreadyExists && !apierrors.IsConflict(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(2 * announcePause)):
		}
		if state, err = n.get(ctx); err != nil {
			return err
		}
	}
}

// put writes a state with one more entry; of nil it creates the ConfigMap.
func (n *Notices) put(ctx context.Context, state *corev1.ConfigMap, notices []string) error {
	log := newNoticeLog()
	next := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: n.options.Namespace, Name: NoticesName, Labels: map[string]string{"app.kubernetes.io/part-of": "drydock"}}}
	request := n.core.Post()
	if state != nil {
		next, request = state.DeepCopy(), n.core.Put().Name(NoticesName)
		if known, err := parseLog(state.Data); err == nil {
			log = known
		}
	}
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	log = log.with(n.from, notices)
	maps.Copy(next.Data, log.data())
	written := &corev1.ConfigMap{}
	err := do(ctx, request.Namespace(n.options.Namespace).Resource("configmaps").Body(next), written)
	if err == nil {
		n.keep(written)
		n.pace.SetLimit(announcePace / rate.Limit(log.writers()))
	}
	return err
}

// get reads the ConfigMap; nil where there is none.
func (n *Notices) get(ctx context.Context) (*corev1.ConfigMap, error) {
	state := &corev1.ConfigMap{}
	err := do(ctx, n.core.Get().Namespace(n.options.Namespace).Resource("configmaps").Name(NoticesName), state)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return state, err
}

// keep takes a state over to write upon, unless a newer one is known.
func (n *Notices) keep(state *corev1.ConfigMap) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if state == nil || n.newest == nil || newer(state.ResourceVersion, n.newest.ResourceVersion) {
		n.newest = state
	}
}
