package conversion_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"drydock.dev/drydock/api/v1beta1"
	"drydock.dev/drydock/conversion"
)

// BenchmarkHandler converts reviews of one Build, as of a write, and of 10,000, as when the
// API server fills a watch cache.
func BenchmarkHandler(b *testing.B) {
	handler := conversion.Handler(prometheus.NewRegistry())
	for _, count := range []int{1, 10_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			request := &apiextensionsv1.ConversionRequest{UID: "u", DesiredAPIVersion: v1beta1.GroupVersion.String()}
			for i := range count {
				raw, err := sample("Build", "v1alpha1", "drydock-ada", fmt.Sprint("app-", i)).MarshalJSON()
				if err != nil {
					b.Fatal(err)
				}
				request.Objects = append(request.Objects, runtime.RawExtension{Raw: raw})
			}
			body, err := json.Marshal(apiextensionsv1.ConversionReview{
				TypeMeta: metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "ConversionReview"}, Request: request,
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, conversion.Path, bytes.NewReader(body)))
				if answer.Code != 200 || !bytes.Contains(answer.Body.Bytes(), []byte(`"Success"`)) {
					b.Fatal(answer.Body)
				}
			}
			b.ReportMetric(float64(len(body))/float64(count), "bytes/object")
		})
	}
}
