package cluster

import (
	"context"
	"log/slog"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=images;builds,verbs=list;watch
// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=namespaces,verbs=list;watch

// run keeps the store up to date until the context ends.
func (s *store[T]) run(ctx context.Context, client rest.Interface, log *slog.Logger) {
	watched{name: s.kind.resource, prototype: s.kind.prototype, store: s, failed: s.fail,
		ask: func() *rest.Request { return client.Get().Resource(s.kind.resource) }}.run(ctx, log)
}

func (s *store[T]) details() map[string]any {
	details := s.contact.details()
	s.mu.RLock()
	defer s.mu.RUnlock()
	details["objects"], details["resourceVersion"] = len(s.objects), s.position
	return details
}

// hear notes how far the watch has come.
func (s *store[T]) hear(version string) {
	s.position = version
	s.contact.hear()
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
	s.complete()
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
