package cluster

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"drydock.dev/drydock/api/v1alpha1"
)

// ReplicasOptions says whose replicas are counted, and who is told.
type ReplicasOptions struct {
	// Kubeconfig is the path of a kubeconfig file; empty: the pod's service account.
	Kubeconfig string
	// UserAgent is what the API server's audit log shows; empty: drydock.
	UserAgent string
	// Namespace and Service name the Service before the replicas; v1alpha1.SystemNamespace
	// where the namespace is empty.
	Namespace, Service string
	// Changed is told how many there are, at first and whenever it changes; 0 where there
	// is no such Service. It returns at once.
	Changed func(replicas int)
	// Log may be nil: nothing is logged.
	Log *slog.Logger
	// Registerer may be nil: nothing is measured.
	Registerer prometheus.Registerer
}

// +kubebuilder:rbac:roleName=drydock-replicas,namespace=drydock-system,groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch

// WatchReplicas counts the endpoints of a Service until the context ends.
// Kubernetes: one WATCH of the Service's EndpointSlices.
func WatchReplicas(ctx context.Context, options ReplicasOptions) error {
	if options.Changed == nil || options.Service == "" {
		return errors.New("cluster: replicas need Service and Changed")
	}
	if options.Namespace == "" {
		options.Namespace = v1alpha1.SystemNamespace
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	server, err := connect(options.Kubeconfig, options.UserAgent, options.Registerer)
	if err != nil {
		return err
	}
	discovery, err := server.group(discoveryv1.SchemeGroupVersion)
	if err != nil {
		return err
	}
	defer discovery.Client.CloseIdleConnections()
	gauge := promauto.With(options.Registerer).NewGauge(prometheus.GaugeOpts{
		Name: "drydock_gateway_replicas", Help: "Gateways that share the rate limits, by the Service's EndpointSlices.",
	})
	known := -1
	told := newContact("replicas", time.Now)
	watched{name: told.name, prototype: &discoveryv1.EndpointSlice{}, failed: told.fail,
		ask: func() *rest.Request {
			return discovery.Get().Namespace(options.Namespace).Resource("endpointslices")
		},
		choose: metav1.ListOptions{LabelSelector: labels.Set{discoveryv1.LabelServiceName: options.Service}.String()},
		store: newMirror(told, func(slices []*discoveryv1.EndpointSlice, _ bool) {
			if n := countEndpoints(slices); n != known {
				options.Log.Info("replicas of the gateway", "before", max(known, 0), "now", n)
				known = n
				gauge.Set(float64(n))
				options.Changed(n)
			}
		}),
	}.run(klog.NewContext(ctx, logr.FromSlogHandler(options.Log.Handler())), options.Log)
	return nil
}

// countEndpoints counts endpoints, ready or not: a replica that starts or ends asks
// upstream, too. One that is in two slices, as with IPv4 and IPv6, counts once.
// https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
func countEndpoints(slices []*discoveryv1.EndpointSlice) int {
	seen := map[string]bool{}
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			switch target := endpoint.TargetRef; {
			case target != nil:
				seen[target.Kind+"/"+target.Name+"/"+string(target.UID)] = true
			case len(endpoint.Addresses) > 0:
				seen[endpoint.Addresses[0]] = true
			}
		}
	}
	return len(seen)
}
