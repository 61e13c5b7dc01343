package cluster

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const noCredential = "There is no such registry credential in this account."

// logins are the registry credentials of one account, by registry.
type logins []*model.RegistryCredential

// loginKind keeps of accounts' namespaces which registries they have logins for. The
// Secrets with the passwords are neither watched nor read: what may list Secrets may
// read them, and the gateway may not.
func loginKind() kind[logins] {
	return kind[logins]{
		resource:  "namespaces",
		prototype: &corev1.Namespace{},
		convert: func(object runtime.Object) (logins, bool) {
			namespace, ok := object.(*corev1.Namespace)
			if !ok {
				return nil, false
			}
			all := loginsOf(namespace)
			return all, len(all) > 0
		},
		compare: func(_, _ logins) int { return 0 },
		groups:  []func(string, logins) string{func(_ string, all logins) string { return all[0].Login }},
	}
}

func loginsOf(namespace *corev1.Namespace) (all logins) {
	login := loginOf(namespace.Name, namespace.Annotations[v1alpha1.AnnotationLogin])
	if login == "" {
		return nil
	}
	for _, kept := range v1alpha1.RegistryLogins(namespace) {
		all = append(all, credential(login, kept))
	}
	return all
}

func credential(login string, kept v1alpha1.RegistryLogin) *model.RegistryCredential {
	return &model.RegistryCredential{Login: login, Registry: kept.Registry, Username: kept.Username, CreatedAt: kept.Time.UTC()}
}

// RegistryCredentials returns an account's registry credentials, by registry.
// Kubernetes: no request.
func (c *Client) RegistryCredentials(_ context.Context, login string) ([]*model.RegistryCredential, error) {
	all, _ := c.logins.get("", v1alpha1.Namespace(login))
	return all, nil
}

// RegistryCredential returns one of them; the key's name is the registry. Unknown ones
// are fault.NotFound.
// Kubernetes: no request.
func (c *Client) RegistryCredential(_ context.Context, key model.Key) (*model.RegistryCredential, error) {
	all, _ := c.logins.get("", v1alpha1.Namespace(key.Login))
	for _, one := range all {
		if one.Registry == key.Name {
			return one, nil
		}
	}
	return nil, fault.New(fault.NotFound, noCredential)
}

// byRegistry orders logins.
func byRegistry(a, b v1alpha1.RegistryLogin) int { return strings.Compare(a.Registry, b.Registry) }
