package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/transport"
)

// requestTimeout bounds every request but watches and logs.
const requestTimeout = 15 * time.Second

// server makes the REST clients of API groups over one connection pool.
type server struct {
	config *rest.Config
	pool   *http.Client
	params runtime.ParameterCodec
}

// connect reads a kubeconfig, the pod's service account where the path is empty. An
// empty user agent is drydock. It asks the API server nothing.
func connect(kubeconfig, userAgent string, registerer prometheus.Registerer) (*server, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	if config.UserAgent == "" {
		config.UserAgent = "drydock"
	}
	metrics, err := transport.NewMetrics(registerer)
	if err != nil {
		return nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return transport.Observed(next, "kubernetes", operation, metrics)
	})
	config.QPS = -1 // the API server's priority and fairness is the judge
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme), discoveryv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	pool, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return &server{config: config, pool: pool, params: runtime.NewParameterCodec(scheme)}, nil
}

// group makes the REST client of one API group.
func (s *server) group(version schema.GroupVersion) (*rest.RESTClient, error) {
	group := rest.CopyConfig(s.config)
	group.GroupVersion, group.APIPath = &version, "/apis"
	if version.Group == "" {
		group.APIPath = "/api"
	}
	return rest.RESTClientForConfigAndClient(group, s.pool)
}

// operation names a request for the metrics: its method, and its path without the
// names in it.
func operation(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i := range parts {
		// /api/v1/namespaces/{namespace}/{resource}/{name}/{subresource}
		if i > 0 && parts[i-1] == "namespaces" {
			parts[i] = "{namespace}"
		}
		if i > 2 && parts[i-2] == "{namespace}" || i > 1 && parts[i-1] == "customresourcedefinitions" {
			parts[i] = "{name}"
		}
	}
	verb := r.Method
	if r.URL.Query().Has("watch") {
		verb = "WATCH"
	}
	return verb + " /" + strings.Join(parts, "/")
}

// do makes a request and reads the answer into an object, where one is given.
func do(ctx context.Context, request *rest.Request, into runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	result := request.MaxRetries(1).Do(ctx)
	if into == nil {
		return translate(result.Error())
	}
	return translate(result.Into(into))
}
