package conversion_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
	"drydock.dev/drydock/conversion"
)

// TestConvert shows each change between the versions, there and back.
func TestConvert(t *testing.T) {
	for _, c := range []struct {
		reason, alpha, beta string
	}{
		{
			"what changed is moved, what did not is left, also what this program does not know",
			`{"spec":{"source":{"repository":"r","later":1},"destination":"d","tags":["a","b"],"suspended":true,"later":{"x":[1]}},"status":{"lastBuildNumber":7}}`,
			`{"spec":{"source":{"repository":"r","later":1},"output":{"repository":"d","tags":["a","b"]},"suspended":true,"later":{"x":[1]}},"status":{"lastBuildNumber":7}}`,
		},
		{
			"arguments by the alphabet need no note",
			`{"spec":{"destination":"d","buildArgs":[{"key":"A","value":"1"},{"key":"B","value":""}]}}`,
			`{"spec":{"output":{"repository":"d"},"args":{"A":"1","B":""}}}`,
		},
		{
			"another order of arguments is kept",
			`{"metadata":{},"spec":{"destination":"d","buildArgs":[{"key":"B","value":""},{"key":"A","value":"1"}]}}`,
			`{"metadata":{"annotations":{"drydock.dev/conversion":"{\"args\":[\"B\",\"A\"]}"}},"spec":{"output":{"repository":"d"},"args":{"A":"1","B":""}}}`,
		},
		{
			"seconds are the shortest duration",
			`{"spec":{"destination":"d","timeoutSeconds":5400}}`,
			`{"spec":{"output":{"repository":"d"},"timeout":"1h30m"}}`,
		},
		{
			"another text for the same duration is kept, beside the user's annotations",
			`{"metadata":{"annotations":{"drydock.dev/conversion":"{\"timeout\":\"600s\"}","mine":"yes"}},"spec":{"destination":"d","timeoutSeconds":600}}`,
			`{"metadata":{"annotations":{"mine":"yes"}},"spec":{"output":{"repository":"d"},"timeout":"600s"}}`,
		},
		{
			"a later field of the output is kept",
			`{"metadata":{"annotations":{"drydock.dev/conversion":"{\"output\":{\"later\":\"x\"}}"}},"spec":{"destination":"d"}}`,
			`{"metadata":{},"spec":{"output":{"repository":"d","later":"x"}}}`,
		},
		{"an object without a spec is another version's as it is", `{"metadata":{"name":"a"}}`, `{"metadata":{"name":"a"}}`},
		{"lists that are empty stay", `{"spec":{"destination":"d","tags":[],"buildArgs":[]}}`, `{"spec":{"output":{"repository":"d","tags":[]},"args":{}}}`},
	} {
		t.Run(c.reason, func(t *testing.T) {
			alpha, beta := parse(t, c.alpha, v1alpha1.GroupVersion, "Image"), parse(t, c.beta, v1beta1.GroupVersion, "Image")
			if diff := cmp.Diff(beta.Object, converted(t, alpha, v1beta1.GroupVersion).Object); diff != "" {
				t.Errorf("to v1beta1 (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(alpha.Object, converted(t, beta, v1alpha1.GroupVersion).Object); diff != "" {
				t.Errorf("to v1alpha1 (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChanged: what was kept counts for as long as nobody changed what it is about.
func TestChanged(t *testing.T) {
	for _, c := range []struct {
		reason, stored string
		from, to       schema.GroupVersion
		want           string
	}{
		{
			"other seconds are right", `{"metadata":{"annotations":{"drydock.dev/conversion":"{\"timeout\":\"600s\"}"}},"spec":{"timeoutSeconds":601}}`,
			v1alpha1.GroupVersion, v1beta1.GroupVersion, `{"metadata":{},"spec":{"timeout":"10m1s"}}`,
		},
		{
			"no timeout is no timeout", `{"metadata":{"annotations":{"drydock.dev/conversion":"{\"timeout\":\"600s\"}"}},"spec":{}}`,
			v1alpha1.GroupVersion, v1beta1.GroupVersion, `{"metadata":{},"spec":{}}`,
		},
		{
			"a note by another hand is none", `{"metadata":{"annotations":{"drydock.dev/conversion":"hello"}},"spec":{"timeoutSeconds":3600}}`,
			v1alpha1.GroupVersion, v1beta1.GroupVersion, `{"metadata":{},"spec":{"timeout":"1h"}}`,
		},
		{
			"arguments that came keep the others' order", `{"metadata":{"annotations":{"drydock.dev/conversion":"{\"args\":[\"C\",\"B\",\"GONE\"]}"}},"spec":{"args":{"A":"1","B":"2","C":"3"}}}`,
			v1beta1.GroupVersion, v1alpha1.GroupVersion,
			`{"metadata":{},"spec":{"buildArgs":[{"key":"C","value":"3"},{"key":"B","value":"2"},{"key":"A","value":"1"}]}}`,
		},
	} {
		t.Run(c.reason, func(t *testing.T) {
			want := parse(t, c.want, c.to, "Image")
			if diff := cmp.Diff(want.Object, converted(t, parse(t, c.stored, c.from, "Image"), c.to).Object); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefused: what cannot be converted without loss is an error that names it.
func TestRefused(t *testing.T) {
	v2 := schema.GroupVersion{Group: "drydock.dev", Version: "v2"}
	for _, c := range []struct {
		reason, object, kind string
		from, to             schema.GroupVersion
		want                 string
	}{
		{"a version that came later", `{}`, "Image", v1alpha1.GroupVersion, v2, "no conversion from drydock.dev/v1alpha1, Kind=Image to drydock.dev/v2 is known: update the controller"},
		{"another kind", `{}`, "Secret", v1alpha1.GroupVersion, v1beta1.GroupVersion, "drydock.dev/v1alpha1, Kind=Secret cannot be converted: only Images and Builds of drydock.dev can"},
		{"a field of another type", `{"spec":{"destination":7}}`, "Image", v1alpha1.GroupVersion, v1beta1.GroupVersion, "Image ada/app to drydock.dev/v1beta1: destination is a int64, not a string"},
		{"half a second", `{"spec":{"timeout":"1500ms"}}`, "Image", v1beta1.GroupVersion, v1alpha1.GroupVersion, `Image ada/app to drydock.dev/v1alpha1: timeout "1500ms" is not a duration in whole seconds, such as 1h30m`},
		{"a key twice", `{"spec":{"buildArgs":[{"key":"A","value":""},{"key":"A","value":""}]}}`, "Build", v1alpha1.GroupVersion, v1beta1.GroupVersion, `Build ada/app to drydock.dev/v1beta1: buildArgs[1]: the key "A" is there twice`},
		{"a later field of an argument", `{"spec":{"buildArgs":[{"key":"A","value":"","later":1}]}}`, "Build", v1alpha1.GroupVersion, v1beta1.GroupVersion, "Build ada/app to drydock.dev/v1beta1: buildArgs[0]: later is not known to this controller: update it"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			object := parse(t, c.object, c.from, c.kind)
			object.SetNamespace("ada")
			object.SetName("app")
			if err := conversion.Convert(object, c.to); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %v", err, c.want)
			}
		})
	}
}

func parse(t *testing.T, text string, version schema.GroupVersion, kind string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	fields["apiVersion"], fields["kind"] = version.String(), kind
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := object.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return object
}

func converted(t *testing.T, object *unstructured.Unstructured, to schema.GroupVersion) *unstructured.Unstructured {
	t.Helper()
	object = object.DeepCopy()
	if err := conversion.Convert(object, to); err != nil {
		t.Fatal(err)
	}
	return object
}
