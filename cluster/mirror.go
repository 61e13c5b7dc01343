package cluster

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mirror holds the few objects that a watch selects, and tells all of them whenever they
// are read or one of them changes; following says that it is one change since it told
// before. It is a reflector's store, whose methods are called one at a time.
type mirror[T metav1.Object] struct {
	*contact
	objects map[string]T
	tell    func(all []T, following bool)
}

func newMirror[T metav1.Object](c *contact, tell func(all []T, following bool)) *mirror[T] {
	return &mirror[T]{contact: c, objects: map[string]T{}, tell: tell}
}

// Add takes in an object that the watch tells of.
func (m *mirror[T]) Add(object any) error { return m.Update(object) }

// Update takes in an object that the watch tells of.
func (m *mirror[T]) Update(object any) error {
	o, ok := object.(T)
	if !ok {
		return fmt.Errorf("%s: unexpected %T", m.name, object)
	}
	m.objects[o.GetName()] = o
	m.changed(true)
	return nil
}

// Delete takes out an object that the watch tells is gone.
func (m *mirror[T]) Delete(object any) error {
	o, ok := object.(T)
	if !ok {
		return fmt.Errorf("%s: unexpected %T", m.name, object)
	}
	delete(m.objects, o.GetName())
	m.changed(true)
	return nil
}

// Replace takes in all objects there are.
func (m *mirror[T]) Replace(objects []any, _ string) error {
	clear(m.objects)
	for _, object := range objects {
		o, ok := object.(T)
		if !ok {
			return fmt.Errorf("%s: unexpected %T", m.name, object)
		}
		m.objects[o.GetName()] = o
	}
	m.changed(false)
	m.complete()
	return nil
}

// Resync has nothing to do.
func (m *mirror[T]) Resync() error { return nil }

// UpdateResourceVersion notes that the API server was heard of.
func (m *mirror[T]) UpdateResourceVersion(string) { m.hear() }

func (m *mirror[T]) changed(following bool) {
	m.hear()
	all := make([]T, 0, len(m.objects))
	for _, o := range m.objects {
		all = append(all, o)
	}
	m.tell(all, following)
}
