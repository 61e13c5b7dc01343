package conversion

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// definitionNames are the names of the custom resource definitions of what Convert converts.
func definitionNames() []string { return []string{"builds.drydock.dev", "images.drydock.dev"} }

// newClient is a client without a cache: what is read here is small and rare.
func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// readDefinitions reads both definitions.
// Kubernetes: GET customresourcedefinitions, twice.
func readDefinitions(ctx context.Context, kube client.Client) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, name := range definitionNames() {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := kube.Get(ctx, client.ObjectKey{Name: name}, definition); err != nil {
			return nil, fmt.Errorf("definition %s: %w", name, err)
		}
		all = append(all, definition)
	}
	return all, nil
}

// clientConfig is how the API server reaches a definition's webhook; nil where it has none.
func clientConfig(definition *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.WebhookClientConfig {
	conversion := definition.Spec.Conversion
	if conversion == nil || conversion.Strategy != apiextensionsv1.WebhookConverter || conversion.Webhook == nil {
		return nil
	}
	return conversion.Webhook.ClientConfig
}

// hostsOf are the names by which the API server calls the webhook, each once.
func hostsOf(definitions []*apiextensionsv1.CustomResourceDefinition) ([]string, error) {
	var hosts []string
	for _, definition := range definitions {
		config := clientConfig(definition)
		switch {
		case config == nil:
		case config.Service != nil:
			hosts = append(hosts, config.Service.Name+"."+config.Service.Namespace+".svc")
		case config.URL != nil:
			address, err := url.Parse(*config.URL)
			if err != nil {
				return nil, fmt.Errorf("definition %s: the webhook's URL: %w", definition.Name, err)
			}
			hosts = append(hosts, address.Hostname())
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}
