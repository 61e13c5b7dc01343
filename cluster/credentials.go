package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const noCredential = "There is no such registry credential in this account."

// home is what is kept of an account's namespace.
type home struct {
	login, customer string
	// logins are by registry.
	logins []*model.RegistryCredential
}

// homeKind keeps of accounts' namespaces whose they are, and which registries they have
// logins for. The Secrets with the passwords are neither watched nor read: what may list
// Secrets may read them, and the gateway may not.
func homeKind(loose *loose) kind[*home] {
	return kind[*home]{
		resource:  "namespaces",
		prototype: &corev1.Namespace{},
		convert: func(object runtime.Object) (*home, bool) {
			namespace, ok := object.(*corev1.Namespace)
			if !ok {
				return nil, false
			}
			found := homeOf(namespace)
			loose.note(looseAt{login: found.login}, namespace)
			return found, found.login != ""
		},
		compare: func(_, _ *home) int { return 0 },
		groups:  []func(string, *home) string{func(_ string, found *home) string { return found.login }},
	}
}

func homeOf(namespace *corev1.Namespace) *home {
	found := &home{
		login:    v1alpha1.LoginOf(namespace.Name, namespace.Annotations[v1alpha1.AnnotationLogin]),
		customer: namespace.Annotations[v1alpha1.AnnotationCustomer],
	}
	if found.login == "" {
		return found
	}
	all := v1alpha1.SecretsOf(namespace)
	for _, kept := range all.Of(v1alpha1.SecretRegistry) {
		found.logins = append(found.logins, credential(found.login, kept))
	}
	return found
}

func credential(login string, kept v1alpha1.KeptSecret) *model.RegistryCredential {
	return &model.RegistryCredential{Login: login, Registry: kept.Name, Username: kept.Username, CreatedAt: kept.Time.UTC()}
}

// RegistryCredentials returns an account's registry credentials, by registry.
// Kubernetes: no request.
func (c *Client) RegistryCredentials(_ context.Context, login string) ([]*model.RegistryCredential, error) {
	if found, there := c.homes.get("", v1alpha1.Namespace(login)); there {
		return found.logins, nil
	}
	return nil, nil
}

// RegistryCredential returns one of them; the key's name is the registry. Unknown ones
// are fault.NotFound.
// Kubernetes: no request.
func (c *Client) RegistryCredential(ctx context.Context, key model.Key) (*model.RegistryCredential, error) {
	all, err := c.RegistryCredentials(ctx, key.Login)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Registry == key.Name {
			return one, nil
		}
	}
	return nil, fault.New(fault.NotFound, noCredential)
}
