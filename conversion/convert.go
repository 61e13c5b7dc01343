package conversion

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
)

// change makes one version's spec of another one's.
type change func(spec map[string]any, kept *kept) error

func changeOf(from, to schema.GroupVersion) (change, bool) {
	switch {
	case from == v1alpha1.GroupVersion && to == v1beta1.GroupVersion:
		return toBeta, true
	case from == v1beta1.GroupVersion && to == v1alpha1.GroupVersion:
		return toAlpha, true
	}
	return nil, false
}

// Convert changes an Image or a Build into another version of its kind, without loss: there
// and back again is the same object. What the other version cannot say is kept in the
// annotation AnnotationKept.
func Convert(object *unstructured.Unstructured, to schema.GroupVersion) error {
	from := object.GroupVersionKind()
	if from.GroupVersion() == to {
		return nil
	}
	if from.Kind != "Image" && from.Kind != "Build" {
		return fmt.Errorf("%s cannot be converted: only Images and Builds of %s can", from, v1alpha1.GroupVersion.Group)
	}
	change, known := changeOf(from.GroupVersion(), to)
	if !known {
		return fmt.Errorf("no conversion from %s to %s is known: update the controller", from, to)
	}
	if spec, ok := object.Object["spec"].(map[string]any); ok {
		kept := readKept(object)
		if err := change(spec, &kept); err != nil {
			return fmt.Errorf("%s %s/%s to %s: %w", from.Kind, object.GetNamespace(), object.GetName(), to, err)
		}
		if err := kept.write(object); err != nil {
			return err
		}
	}
	object.SetGroupVersionKind(to.WithKind(from.Kind))
	return nil
}

// take removes a field and gives its value, which must be of the type where the field is there.
func take[T any](fields map[string]any, name string) (value T, there bool, err error) {
	found, there := fields[name]
	if !there {
		return value, false, nil
	}
	value, ok := found.(T)
	if !ok {
		return value, false, fmt.Errorf("%s is a %T, not a %T", name, found, value)
	}
	delete(fields, name)
	return value, true, nil
}

// noOthers is an error where fields are left that this program does not know: to go on
// would lose them.
func noOthers(fields map[string]any) error {
	for name := range fields {
		return fmt.Errorf("%s is not known to this controller: update it", name)
	}
	return nil
}
