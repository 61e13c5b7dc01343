package conversion

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
)

// Path is where the webhook is served.
const Path = "/convert"

const (
	// maxReview is more than the API server sends at once: up to 10,000 objects when it
	// fills a watch cache.
	maxReview = 128 << 20
	// patience is as long as the API server waits for an answer.
	patience = 30 * time.Second
	// atOnce bounds the memory of reviews: others wait.
	atOnce = 2
)

// Handler is the webhook: it takes a ConversionReview and answers with one. It asks nobody.
// See https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#conversionreview-v1-apiextensions-k8s-io
func Handler(metrics prometheus.Registerer) http.Handler {
	turns := make(chan struct{}, atOnce)
	seconds := promauto.With(metrics).NewHistogramVec(prometheus.HistogramOpts{
		Name: "drydock_conversion_seconds", Help: "Time to convert the objects of one review, by the version asked for and the result.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
	}, []string{"version", "result"})
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // every listener of ours can
		var review apiextensionsv1.ConversionReview
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReview)).Decode(&review)
		if err != nil || review.Request == nil {
			http.Error(w, fmt.Sprintf("this is not a ConversionReview with a request: %v", err), http.StatusBadRequest)
			return
		}
		begin := time.Now()
		review.Response = answer(review.Request)
		seconds.WithLabelValues(version(review.Request.DesiredAPIVersion), review.Response.Result.Status).Observe(time.Since(begin).Seconds())
		review.Request = nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review) // the API server may be gone
	})
	return mux
}

// version is the label of a metric: whoever reaches the webhook may send any text.
func version(asked string) string {
	for _, known := range []schema.GroupVersion{v1alpha1.GroupVersion, v1beta1.GroupVersion} {
		if asked == known.String() {
			return known.Version
		}
	}
	return "other"
}

// answer converts all objects of a request, or none.
func answer(request *apiextensionsv1.ConversionRequest) *apiextensionsv1.ConversionResponse {
	response := &apiextensionsv1.ConversionResponse{UID: request.UID, Result: metav1.Status{Status: metav1.StatusSuccess}}
	response.ConvertedObjects = make([]runtime.RawExtension, 0, len(request.Objects))
	to, err := schema.ParseGroupVersion(request.DesiredAPIVersion)
	for _, object := range request.Objects {
		if err != nil {
			break
		}
		var converted []byte
		converted, err = convertJSON(object.Raw, to)
		response.ConvertedObjects = append(response.ConvertedObjects, runtime.RawExtension{Raw: converted})
	}
	if err != nil {
		response.ConvertedObjects = nil
		response.Result = metav1.Status{Status: metav1.StatusFailure, Message: err.Error()}
	}
	return response
}

func convertJSON(raw []byte, to schema.GroupVersion) ([]byte, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	if err := Convert(object, to); err != nil {
		return nil, err
	}
	return object.MarshalJSON()
}
