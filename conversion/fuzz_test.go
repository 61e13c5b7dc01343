package conversion_test

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/randfill"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
)

// FuzzRoundTrip fills every field of every kind of both versions: there and back is the
// same, and the other version's types know every field on the way.
func FuzzRoundTrip(f *testing.F) {
	for seed := range int64(100) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		fill := filler(seed)
		for _, c := range []struct {
			object, other any
			kind          string
			version, to   schema.GroupVersion
		}{
			{&v1alpha1.Image{}, &v1beta1.Image{}, "Image", v1alpha1.GroupVersion, v1beta1.GroupVersion},
			{&v1alpha1.Build{}, &v1beta1.Build{}, "Build", v1alpha1.GroupVersion, v1beta1.GroupVersion},
			{&v1beta1.Image{}, &v1alpha1.Image{}, "Image", v1beta1.GroupVersion, v1alpha1.GroupVersion},
			{&v1beta1.Build{}, &v1alpha1.Build{}, "Build", v1beta1.GroupVersion, v1alpha1.GroupVersion},
		} {
			fill.Fill(c.object)
			object := generic(t, c.object, c.version, c.kind)
			there := converted(t, object, c.to)
			strict := json.NewDecoder(strings.NewReader(marshal(t, there)))
			strict.DisallowUnknownFields()
			if err := strict.Decode(c.other); err != nil {
				t.Errorf("a field of %T is not in %T: add it in api/%s (see CONTRIBUTING.md, how the schema changes): %v", c.object, c.other, c.to.Version, err)
			}
			back := converted(t, generic(t, c.other, c.to, c.kind), c.version)
			if diff := cmp.Diff(object.Object, back.Object); diff != "" {
				t.Errorf("%T is another one after the way by %s (-want +got):\n%s", c.object, c.to.Version, diff)
			}
		}
	})
}

// filler fills objects with whatever the schema allows of what is converted, and with
// anything else; every field with something.
func filler(seed int64) *randfill.Filler {
	types := serializer.NewCodecFactory(runtime.NewScheme())
	funcs := fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, func(serializer.CodecFactory) []any {
		return []any{
			func(*metav1.TypeMeta, randfill.Continue) {},
			func(args *[]v1alpha1.BuildArg, c randfill.Continue) {
				for i := range c.Intn(5) { // each key once, in any order
					*args = append(*args, v1alpha1.BuildArg{Key: fmt.Sprintf("%c%d", 'A'+rune(c.Intn(26)), i), Value: c.String(10)})
				}
			},
			func(spec *v1alpha1.ImageSpec, c randfill.Continue) {
				c.FillNoCustom(spec)
				seconds := 10 + c.Int31n(86391)
				spec.TimeoutSeconds = &seconds
			},
			func(timeout *v1beta1.Duration, c randfill.Continue) {
				texts := []string{"", "1h", "90m", "1h30m", "600s", "10m", "1h0m0s", "01m", fmt.Sprintf("%ds", 10+c.Intn(86391))}
				*timeout = v1beta1.Duration(texts[c.Intn(len(texts))])
			},
		}
	})
	return fuzzer.FuzzerFor(funcs, rand.NewSource(seed), types).NilChance(0.1)
}

// generic is a typed object as the API server has it.
func generic(t *testing.T, object any, version schema.GroupVersion, kind string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, marshal(t, object), version, kind)
}

func marshal(t *testing.T, object any) string {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
