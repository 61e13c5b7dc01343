package controller

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/podlog"
)

// errUnread tells that a log was not read to its end yet.
var errUnread = errors.New("the log was not read to its end yet")

// logKeeper keeps builds' logs in ConfigMaps, which go when the Build goes. It reads the
// log of every build that runs, as it comes: a node rotates long logs away, and then
// nobody can tell any more which line was which.
type logKeeper struct {
	deps
	pods typedv1.PodsGetter
	// grown tells of builds of whose log more is kept.
	grown chan event.GenericEvent

	mu     sync.Mutex
	logs   map[client.ObjectKey]*keptLog
	ending bool
	work   sync.WaitGroup
}

func newLogKeeper(d deps, pods typedv1.PodsGetter) *logKeeper {
	return &logKeeper{deps: d, pods: pods, grown: make(chan event.GenericEvent), logs: map[client.ObjectKey]*keptLog{}}
}

// Start serves the manager: at the end, no log is read any more.
func (k *logKeeper) Start(ctx context.Context) error {
	<-ctx.Done()
	k.mu.Lock()
	k.ending = true
	for _, log := range k.logs {
		log.cancel()
	}
	k.mu.Unlock()
	k.work.Wait()
	return nil
}

// follow begins to read the log of a build, unless that has begun.
// Kubernetes: GET of each container's log; of a log of over 1 MB one or two writes of a
// ConfigMap for each further MB, or every 10 s.
func (k *logKeeper) follow(ctx context.Context, build *v1alpha1.Build) *keptLog {
	k.mu.Lock()
	defer k.mu.Unlock()
	log := k.logs[keyOf(build)]
	if log == nil || log.build.UID != build.UID {
		log = newKeptLog(k, build)
		k.logs[keyOf(build)] = log
	}
	if log.done == nil && !k.ending {
		var life context.Context
		life, log.cancel = context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		log.done = done
		k.work.Go(func() {
			defer close(done)
			log.run(life)
		})
	}
	return log
}

// pause ends the reading of a log for now.
func (k *logKeeper) pause(log *keptLog) {
	k.mu.Lock()
	done := log.done
	log.done = nil
	log.cancel()
	k.mu.Unlock()
	if done != nil {
		<-done
	}
}

// follows tells whether the log of a build is being read.
func (k *logKeeper) follows(build *v1alpha1.Build) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	log := k.logs[keyOf(build)]
	return log != nil && log.build.UID == build.UID
}

// forget ends the reading of a build's log for good.
func (k *logKeeper) forget(key client.ObjectKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if log := k.logs[key]; log != nil {
		log.cancel()
		delete(k.logs, key)
	}
}

// endPatience is how long the last lines of an ended pod are waited for at a time.
const endPatience = 5 * time.Second

// keep keeps what an ended pod printed: all of it, or once logPatience is over what there
// is, since a node that is gone gives nothing more out. An error is worth another try.
func (k *logKeeper) keep(ctx context.Context, build *v1alpha1.Build) (*v1alpha1.BuildLog, error) {
	log := k.follow(ctx, build)
	var unread error
	done, since := k.ended(log)
	if done == nil {
		unread = errUnread
	} else {
		select {
		case <-done:
		case <-time.After(endPatience):
			unread = errUnread
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	kept, err := log.kept(ctx, errors.Join(unread, log.failure()))
	if err != nil && !apierrors.IsNotFound(err) && k.now().Sub(since) < logPatience {
		return nil, fmt.Errorf("keep the log: %w", err)
	}
	if err != nil {
		k.log.Error("the end of a build's log is lost", "namespace", build.Namespace, "build", build.Name, "error", err)
	}
	return kept, nil
}

// ended notes that the pod of a log has ended. It gives what is closed once all is read, nil
// where nobody reads, and when it was first called.
func (k *logKeeper) ended(log *keptLog) (done <-chan struct{}, since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if log.ended.IsZero() {
		log.ended = k.now()
	}
	return log.done, log.ended
}

// keepSoFar keeps what a pod that runs has printed up to now, and reads on.
func (k *logKeeper) keepSoFar(ctx context.Context, build *v1alpha1.Build) (*v1alpha1.BuildLog, error) {
	k.pause(k.follow(ctx, build))
	log := k.peek(build)
	err := log.read(ctx)
	kept, err := log.kept(ctx, err)
	k.follow(ctx, build)
	return kept, err
}

func (k *logKeeper) peek(build *v1alpha1.Build) *keptLog {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.logs[keyOf(build)]
}

// podSource is where a build's pod is read: podlog.Source.
type podSource struct {
	*logKeeper
	build *v1alpha1.Build
}

// Pod is the newest pod of the build, from the cache.
func (s podSource) Pod(ctx context.Context) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := s.List(ctx, &pods, client.InNamespace(s.build.Namespace), client.MatchingLabels{v1alpha1.LabelBuild: s.build.Name})
	return podlog.Newest(pods.Items), err
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=pods/log,verbs=get

// Open opens the log of a container. GET /api/v1/namespaces/{}/pods/{}/log
func (s podSource) Open(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	return s.pods.Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
}

// logConfigMap is a chunk's home.
func logConfigMap(build *v1alpha1.Build, chunk *v1alpha1.LogChunk) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       build.Namespace,
			Name:            chunk.Name,
			Labels:          objectLabels(build),
			Annotations:     map[string]string{v1alpha1.AnnotationLogContainer: chunk.Container},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(build, v1alpha1.GroupVersion.WithKind("Build"))},
		},
		BinaryData: map[string][]byte{v1alpha1.LogKey: chunk.Data},
	}
}
