package cluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/fault"
)

const (
	// announcePace and announceBurst bound the writes a second of one replica: etcd keeps
	// every one of them for minutes. What comes faster is written together.
	announcePace  = 20
	announceBurst = 20
	// announceTime bounds one write with its repetitions.
	announceTime = 10 * time.Second
	// entryLife is how long an entry stays that its replica does not drop: then whoever
	// writes next does. It is longer than a lost watch takes to come back.
	entryLife = 10 * time.Minute
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
// Kubernetes: PATCH of one ConfigMap, with a POST where it is not there; calls that come
// at the same time share it.
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
		if err := n.write(ctx, n.entry(a.notices)); err != nil {
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

// entry is the change of the log that adds an entry, and drops what has been there for
// too long or is too much; nil drops a key.
func (n *Notices) entry(notices []string) map[string]*string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.number++
	key, text := entryKey(n.replica, n.number), entryText(notices)
	change := map[string]*string{}
	for _, dropped := range n.own.add(key, text) {
		change[dropped] = nil
	}
	for old, since := range n.seen {
		if n.options.Now().Sub(since) >= entryLife {
			change[old] = nil
		}
	}
	if len(change) > 0 {
		mark := rand.Text()[:10]
		change[keyDropped] = &mark
	}
	change[key] = &text
	return change
}

// write changes the log. Keys are written over by none but their replica, so there is
// nothing to read before, and no other writer to lose against.
func (n *Notices) write(ctx context.Context, change map[string]*string) error {
	err := n.patch(ctx, change)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	if err = n.create(ctx, change); fault.KindOf(err) == fault.AlreadyExists { // another replica was quicker
		return n.patch(ctx, change)
	}
	return err
}

// +kubebuilder:rbac:roleName=drydock-replicas,namespace=drydock-system,groups="",resources=configmaps,resourceNames=drydock-notices,verbs=patch

func (n *Notices) patch(ctx context.Context, change map[string]*string) error {
	patch, err := json.Marshal(map[string]any{"data": change})
	if err != nil {
		return err
	}
	return do(ctx, n.core.Patch(types.MergePatchType).Namespace(n.options.Namespace).Resource("configmaps").Name(NoticesName).Body(patch), nil)
}

// +kubebuilder:rbac:roleName=drydock-replicas,namespace=drydock-system,groups="",resources=configmaps,verbs=create

func (n *Notices) create(ctx context.Context, change map[string]*string) error {
	log := &corev1.ConfigMap{Data: map[string]string{}, ObjectMeta: metav1.ObjectMeta{
		Namespace: n.options.Namespace, Name: NoticesName, Labels: map[string]string{"app.kubernetes.io/part-of": "drydock"}}}
	for key, text := range change {
		if text != nil {
			log.Data[key] = *text
		}
	}
	return do(ctx, n.core.Post().Namespace(n.options.Namespace).Resource("configmaps").Body(log), nil)
}
