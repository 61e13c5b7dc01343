package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/podlog"
)

const (
	// keepEvery is how old the newest line may be that is not kept of a log that a node
	// may have begun to rotate.
	keepEvery = 10 * time.Second
	// missingLines stands in a log where lines are missing.
	missingLines = "[lines are missing here: the node rotated the log away while nobody read it]"
)

// keptLog is the log of one build on its way into ConfigMaps.
type keptLog struct {
	keeper *logKeeper
	build  *v1alpha1.Build // as it was when the reading began
	cancel context.CancelFunc
	done   chan struct{} // closed once all is read; nil while nobody reads; guarded by keeper.mu
	ended  time.Time     // when the pod was first found to have ended; guarded by keeper.mu
	reader podlog.Reader

	mu      sync.Mutex
	packer  *v1alpha1.LogPacker // nil until it is known where to begin
	full    []*v1alpha1.LogChunk
	dropped []string
	fresh   bool // there are lines that are not kept
	err     error
	status  atomic.Pointer[v1alpha1.BuildLog]
}

func newKeptLog(k *logKeeper, build *v1alpha1.Build) *keptLog {
	l := &keptLog{keeper: k, build: build.DeepCopy(), cancel: func() {}}
	l.status.Store(build.Status.Log.DeepCopy())
	return l
}

// run reads the log to its end, or until the context ends.
func (l *keptLog) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { l.keepOn(ctx) })
	err := l.begin(ctx)
	if err == nil {
		err = l.reader.Follow(ctx)
	}
	cancel()
	keeping.Wait()
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
}

// begin resumes, again and again until the API server tells what is kept. A chunk that is
// no more is no trouble that passes.
func (l *keptLog) begin(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		err := l.resume(ctx)
		if err == nil || apierrors.IsNotFound(err) || ctx.Err() != nil {
			return err
		}
		l.keeper.log.Warn("reading what is kept of a build's log", "namespace", l.build.Namespace, "build", l.build.Name, "error", err, "retry", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// read reads what there is now.
func (l *keptLog) read(ctx context.Context) error {
	if err := l.resume(ctx); err != nil {
		return err
	}
	return l.reader.Read(ctx)
}

func (l *keptLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=get

// resume finds out where to begin: behind what was read before, be it by the controller
// before this one.
func (l *keptLog) resume(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		l.reader.Take = func(container string, line v1alpha1.LogLine, missing bool) bool {
			return l.take(ctx, container, line, missing)
		}
	}()
	if l.packer != nil {
		return nil
	}
	packer := &v1alpha1.LogPacker{}
	l.reader = podlog.Reader{
		Source: podSource{l.keeper, l.build}, Seen: true, SkipMissing: true,
		Log: l.keeper.log.With("namespace", l.build.Namespace, "build", l.build.Name),
	}
	if log := l.build.Status.Log; log != nil && len(log.ConfigMaps) > 0 {
		var newest corev1.ConfigMap
		name := log.ConfigMaps[len(log.ConfigMaps)-1]
		if err := l.keeper.Get(ctx, client.ObjectKey{Namespace: l.build.Namespace, Name: name}, &newest); err != nil {
			return fmt.Errorf("read the kept log: %w", err)
		}
		var lines []v1alpha1.LogLine
		for line, err := range v1alpha1.UnpackLog(newest.BinaryData[v1alpha1.LogKey]) {
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		container := newest.Annotations[v1alpha1.AnnotationLogContainer]
		packer = v1alpha1.ResumeLog(*log, lines, container)
		l.reader.At = podlog.MarkOf(container, lines)
	}
	l.packer = packer
	return nil
}

// take packs a line. A chunk that is full is kept before the next line is read.
func (l *keptLog) take(ctx context.Context, container string, line v1alpha1.LogLine, missing bool) bool {
	l.mu.Lock()
	if missing {
		l.add(container, v1alpha1.LogLine{Time: line.Time, Text: missingLines})
	}
	l.add(container, line)
	full := len(l.full) > 0
	l.mu.Unlock()
	if full {
		l.tryKeep(ctx)
	}
	return true
}

func (l *keptLog) add(container string, line v1alpha1.LogLine) {
	if chunk := l.packer.Add(l.build.Name, container, line); chunk != nil {
		l.full = append(l.full, chunk)
	}
	l.fresh = true
}

// keepOn keeps the newest lines of a log of several chunks from time to time.
func (l *keptLog) keepOn(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if kept := l.status.Load(); kept != nil && len(kept.ConfigMaps) > 0 {
			l.tryKeep(ctx)
		}
	}
}

// tryKeep keeps all lines so far, again and again until it is done or the context ends.
func (l *keptLog) tryKeep(ctx context.Context) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, 10*time.Second) {
		grown, err := l.write(ctx)
		if err == nil {
			if grown {
				l.tell(ctx)
			}
			return
		}
		if ctx.Err() == nil {
			l.keeper.log.Warn("keeping a build's log", "namespace", l.build.Namespace, "build", l.build.Name, "error", err, "retry", wait)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// tell has the build's status say what is kept.
func (l *keptLog) tell(ctx context.Context) {
	select {
	case l.keeper.grown <- event.GenericEvent{Object: l.build}:
	case <-ctx.Done():
	}
}

// kept keeps all lines so far and gives what the build's status says of them, with the
// error of what went before.
func (l *keptLog) kept(ctx context.Context, before error) (*v1alpha1.BuildLog, error) {
	_, err := l.write(ctx)
	return l.status.Load(), errors.Join(before, err)
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=create;update;delete

// write writes every chunk that has lines which are not kept, and deletes what is beyond
// the bounds and was not named by the status any more the last time.
func (l *keptLog) write(ctx context.Context) (grown bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.packer == nil {
		return false, nil
	}
	for ; len(l.full) > 0; l.full = l.full[1:] {
		if err := l.writeChunk(ctx, l.full[0]); err != nil {
			return false, err
		}
	}
	if !l.fresh && l.status.Load() != nil {
		return false, nil
	}
	if chunk := l.packer.Open(); chunk != nil {
		if err := l.writeChunk(ctx, chunk); err != nil {
			return false, err
		}
	}
	for ; len(l.dropped) > 0; l.dropped = l.dropped[1:] {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: l.build.Namespace, Name: l.dropped[0]}}
		if err := l.keeper.Delete(ctx, object); client.IgnoreNotFound(err) != nil {
			return false, err
		}
	}
	l.dropped = l.packer.Bound()
	status := l.packer.Status()
	l.status.Store(&status)
	l.fresh = false
	return true, nil
}

func (l *keptLog) writeChunk(ctx context.Context, chunk *v1alpha1.LogChunk) error {
	object := logConfigMap(l.build, chunk)
	err := l.keeper.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		return l.keeper.Update(ctx, object)
	}
	return err
}
