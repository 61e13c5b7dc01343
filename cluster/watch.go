package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// retryLongest is the longest pause before a lost watch is tried again.
const retryLongest = 2 * time.Second

// run keeps the store up to date until the context ends. A lost or expired watch, an
// API server that is away and a resource that is not defined yet are tried again.
func (s *store[T]) run(ctx context.Context, client rest.Interface, log *slog.Logger) {
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return s.ask(client, options).Do(ctx).Get()
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			w, err := s.ask(client, options).Watch(ctx)
			s.fail(err) // the reflector tries some again without telling
			return w, err
		},
	}
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: retryLongest}
	reflector := cache.NewReflectorWithOptions(source, s.kind.prototype, s, cache.ReflectorOptions{
		Name: s.kind.resource, Backoff: &backoff})
	for pause := backoff.Duration; ctx.Err() == nil; {
		err := reflector.ListAndWatchWithContext(ctx)
		if ctx.Err() != nil {
			return
		}
		switch s.fail(err); {
		case err == nil:
			pause = backoff.Duration
		case apierrors.IsNotFound(err):
			log.Debug("waiting for the custom resource", "resource", s.kind.resource)
		default:
			log.Warn("watch lost", "resource", s.kind.resource, "error", err, "retry", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, retryLongest)
		}
	}
}

// ask is a request for all objects. It is not tried again by itself: run does this.
func (s *store[T]) ask(client rest.Interface, options metav1.ListOptions) *rest.Request {
	return client.Get().Resource(s.kind.resource).VersionedParams(&options, metav1.ParameterCodec).MaxRetries(0)
}

func (s *store[T]) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
}

func (s *store[T]) ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	select {
	case <-s.synced:
		return nil
	default:
		return errors.Join(fmt.Errorf("%s are not read yet", s.kind.resource), s.failure)
	}
}

func (s *store[T]) details() map[string]any {
	ready := s.ready() == nil
	s.mu.RLock()
	defer s.mu.RUnlock()
	details := map[string]any{"synced": ready, "objects": len(s.objects), "resourceVersion": s.position}
	if !s.heard.IsZero() {
		details["ageSeconds"] = int(s.now().Sub(s.heard).Seconds())
	}
	if s.failure != nil {
		details["error"] = s.failure.Error()
	}
	return details
}

// hear notes how far the watch has come.
func (s *store[T]) hear(version string) {
	s.position, s.heard, s.failure = version, s.now(), nil
}

// Add, Update, Delete, Replace, Resync and UpdateResourceVersion are the reflector's.

// Add takes in an object that the watch tells of.
func (s *store[T]) Add(original any) error { return s.Update(original) }

// Update takes in an object that the watch tells of.
func (s *store[T]) Update(original any) error {
	o, err := s.reduce(original)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(o)
	s.hear(o.ResourceVersion)
	return nil
}

// Delete takes out an object that the watch tells is gone.
func (s *store[T]) Delete(original any) error {
	o, err := s.reduce(original)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.objects[o.Namespace+"/"+o.Name]; old != nil && old.UID == o.UID {
		s.remove(old)
	}
	delete(s.buried, o.UID)
	s.hear(o.ResourceVersion)
	return nil
}

// Replace takes in a whole list, as of a version. Own writes beyond it stay.
func (s *store[T]) Replace(originals []any, version string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.position != "" && newer(s.position, version) {
		// Versions run backwards where etcd was restored from a backup: begin anew.
		for _, o := range s.objects {
			s.remove(o)
		}
	}
	listed := make(map[string]bool, len(originals))
	uids := make(map[types.UID]bool, len(originals))
	for _, original := range originals {
		o, err := s.reduce(original)
		if err != nil {
			return err
		}
		s.put(o)
		listed[o.Namespace+"/"+o.Name] = true
		uids[o.UID] = true
	}
	for key, o := range s.objects {
		if !listed[key] && !newer(o.ResourceVersion, version) {
			s.remove(o)
		}
	}
	for uid := range s.buried {
		if !uids[uid] {
			delete(s.buried, uid)
		}
	}
	s.hear(version)
	select {
	case <-s.synced:
	default:
		close(s.synced)
	}
	return nil
}

// Resync has nothing to do: subscribers react to states, not to reminders.
func (s *store[T]) Resync() error { return nil }

// UpdateResourceVersion notes how far the watch has come, also where nothing changed.
func (s *store[T]) UpdateResourceVersion(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hear(version)
}
