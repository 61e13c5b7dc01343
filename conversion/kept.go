package conversion

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// AnnotationKept is on an object whose version cannot say all that the other one said, as
// JSON. It counts for as long as it fits what the object says: whoever changes a field is right.
const AnnotationKept = "drydock.dev/conversion"

// kept is what one version says and the other one cannot.
type kept struct {
	// Args are the names of v1alpha1's build arguments in their order, on a v1beta1 object
	// where it is not the alphabet's.
	Args []string `json:"args,omitempty"`
	// Timeout is v1beta1's text, on a v1alpha1 object where seconds would read as another one.
	Timeout string `json:"timeout,omitempty"`
	// Output are fields of v1beta1's output that this program does not know, on a v1alpha1 object.
	Output map[string]any `json:"output,omitempty"`
}

// readKept reads the annotation; what is not legible keeps nothing.
func readKept(object *unstructured.Unstructured) (k kept) {
	if err := json.Unmarshal([]byte(object.GetAnnotations()[AnnotationKept]), &k); err != nil {
		return kept{}
	}
	return k
}

// write sets the annotation, or removes it where nothing is to be kept.
func (k kept) write(object *unstructured.Unstructured) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if string(text) != "{}" {
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[AnnotationKept] = string(text)
		object.SetAnnotations(annotations)
		return nil
	}
	unstructured.RemoveNestedField(object.Object, "metadata", "annotations", AnnotationKept)
	if len(object.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
	}
	return nil
}
