package cluster

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"
)

// kind is what a store must know of the objects it holds.
type kind[T any] struct {
	// resource is the plural name.
	resource  string
	prototype runtime.Object
	// convert is not ok for objects that nobody shall see.
	convert func(runtime.Object) (T, bool)
	compare func(a, b T) int
	// groups give the names of the groups that an object is found in, the first of
	// them being the topic on which its changes are told.
	groups []func(namespace string, value T) string
	// same may be nil; it tells whether two states of an object show alike.
	same func(a, b T) bool
	// changed may be nil; it sees each new state and the one before, zero without any,
	// while the store is locked.
	changed func(before, after T)
}

// apiObject is an object as the API server tells of it.
type apiObject interface {
	runtime.Object
	metav1.Object
}

// object is one stored object: enough of the metadata to know it, and the value.
// Values are shared by all readers, none may change them.
type object[T any] struct {
	metav1.ObjectMeta
	value  T
	hidden bool
}

// store mirrors the objects of one kind: a reflector keeps it up to date (see
// watch.go), own writes are put in at once.
type store[T any] struct {
	*contact
	kind kind[T]
	hub  *hub[T]

	mu      sync.RWMutex
	objects map[string]*object[T]
	// groups holds the objects of each group, sorted.
	groups []map[string][]*object[T]
	// buried objects were deleted by this replica; the watch may still speak of them.
	buried map[types.UID]struct{}
	// position is the resource version up to which the watch was heard.
	position string
}

func newStore[T any](k kind[T], subscribers *prometheus.GaugeVec, now func() time.Time) *store[T] {
	s := &store[T]{kind: k, hub: newHub[T](subscribers.WithLabelValues(k.resource)), contact: newContact(k.resource, now),
		objects: map[string]*object[T]{}, buried: map[types.UID]struct{}{}}
	for range k.groups {
		s.groups = append(s.groups, map[string][]*object[T]{})
	}
	return s
}

// get gives the value of an object.
func (s *store[T]) get(namespace, name string) (value T, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objects[namespace+"/"+name]; o != nil {
		return o.value, true
	}
	return value, false
}

// all gives the values of a group in order. The store is locked for reading
// meanwhile: do little, and ask it nothing.
func (s *store[T]) all(group int, name string) iter.Seq[T] {
	return func(yield func(T) bool) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		for _, o := range s.groups[group][name] {
			if !yield(o.value) {
				return
			}
		}
	}
}

// first gives the first value of a group.
func (s *store[T]) first(group int, name string) (value T, ok bool) {
	for value = range s.all(group, name) {
		return value, true
	}
	return value, false
}

// count gives the size of a group.
func (s *store[T]) count(group int, name string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.groups[group][name])
}

// subscribe gives the present values that choose picks, and what changes from then on,
// without a gap or an overlap between them.
func (s *store[T]) subscribe(topic string, wants func(T) bool, choose func(iter.Seq[T]) []T) ([]T, *subscriber[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	present := choose(func(yield func(T) bool) {
		for _, o := range s.groups[0][topic] {
			if wants(o.value) && !yield(o.value) {
				return
			}
		}
	})
	return present, s.hub.subscribe(topic, wants)
}

// reduce makes the stored form of an API object, and leaves a stored form as it is.
func (s *store[T]) reduce(either any) (*object[T], error) {
	if o, done := either.(*object[T]); done {
		return o, nil
	}
	original, ok := either.(runtime.Object)
	if !ok {
		return nil, fmt.Errorf("%s: unexpected %T", s.kind.resource, either)
	}
	data, err := meta.Accessor(original)
	if err != nil {
		return nil, err
	}
	o := &object[T]{ObjectMeta: metav1.ObjectMeta{Namespace: data.GetNamespace(), Name: data.GetName(),
		UID: data.GetUID(), ResourceVersion: data.GetResourceVersion()}}
	value, shown := s.kind.convert(original)
	o.value, o.hidden = value, !shown || data.GetDeletionTimestamp() != nil
	return o, nil
}

// remember puts an own write into the store, unless the watch was there before, and
// gives its value.
func (s *store[T]) remember(written runtime.Object) (value T, err error) {
	o, err := s.reduce(written)
	if err != nil {
		return value, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if newer(o.ResourceVersion, s.position) {
		s.put(o)
	}
	return o.value, nil
}

// forget takes an object out that this replica deleted.
func (s *store[T]) forget(namespace, name string, uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[namespace+"/"+name]; o != nil && o.UID == uid {
		s.buried[uid] = struct{}{}
		s.remove(o)
	}
}

// put takes a state in, unless it is not newer than the one there is.
func (s *store[T]) put(o *object[T]) {
	old := s.objects[o.Namespace+"/"+o.Name]
	if _, buried := s.buried[o.UID]; buried || old != nil && !newer(o.ResourceVersion, old.ResourceVersion) {
		return
	}
	if o.hidden {
		if old != nil {
			s.remove(old)
		}
		return
	}
	var before T
	quiet := false
	if old != nil {
		before = old.value
		quiet = s.kind.same != nil && s.kind.same(before, o.value)
		s.leave(old)
	}
	s.objects[o.Namespace+"/"+o.Name] = o
	if s.kind.changed != nil {
		s.kind.changed(before, o.value)
	}
	s.enter(o)
	s.publish(o, change[T]{value: o.value, quiet: quiet})
}

func (s *store[T]) remove(o *object[T]) {
	delete(s.objects, o.Namespace+"/"+o.Name)
	s.leave(o)
	s.publish(o, change[T]{value: o.value, gone: true})
}

func (s *store[T]) publish(o *object[T], c change[T]) {
	s.hub.publish(s.kind.groups[0](o.Namespace, o.value), o.Namespace+"/"+o.Name, c)
}

// enter sorts an object into its groups.
func (s *store[T]) enter(o *object[T]) {
	for i, groupOf := range s.kind.groups {
		name := groupOf(o.Namespace, o.value)
		at, _ := slices.BinarySearchFunc(s.groups[i][name], o, s.compare)
		s.groups[i][name] = slices.Insert(s.groups[i][name], at, o)
	}
}

// leave takes an object out of its groups.
func (s *store[T]) leave(o *object[T]) {
	for i, groupOf := range s.kind.groups {
		name := groupOf(o.Namespace, o.value)
		if at, found := slices.BinarySearchFunc(s.groups[i][name], o, s.compare); found {
			s.groups[i][name] = slices.Delete(s.groups[i][name], at, at+1)
		}
		if len(s.groups[i][name]) == 0 {
			delete(s.groups[i], name)
		}
	}
}

// compare orders two objects by value, and by key where the values are alike.
func (s *store[T]) compare(a, b *object[T]) int {
	if order := s.kind.compare(a.value, b.value); order != 0 {
		return order
	}
	return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
}

// newer tells whether a resource version is beyond another one of the same kind
// (KEP-5504: they are decimal numbers, ordered within a kind).
func newer(a, b string) bool {
	if b == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err != nil || order > 0
}

// Transformer reduces objects before the reflector gathers them.
func (s *store[T]) Transformer() cache.TransformFunc {
	return func(original any) (any, error) { return s.reduce(original) }
}
