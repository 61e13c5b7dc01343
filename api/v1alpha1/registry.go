package v1alpha1

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationRegistryLogins is on an account's namespace and tells which registries the
// account has a login for, as JSON; see RegistryLogins. The logins themselves are Secrets, which
// nobody but a build's node has to read to know which there are.
const AnnotationRegistryLogins = "drydock.dev/registry-logins"

// AnnotationRegistry is on the Secret of a login: the registry, host[:port].
const AnnotationRegistry = "drydock.dev/registry"

// RegistryLogin is one of an account's logins, without its password. The Secret
// RegistrySecret(Registry), of the type kubernetes.io/dockerconfigjson, holds it whole.
// +kubebuilder:object:generate=false
type RegistryLogin struct {
	// Registry is host[:port], lower case.
	Registry string `json:"registry"`
	Username string `json:"username"`
	// Time is when the login was set last.
	Time metav1.Time `json:"time"`
	// Mutation is a hash of what set it, for a repetition to be known.
	Mutation string `json:"mutation,omitempty"`
}

// Equal tells whether two are the same login, set at the same time.
func (l RegistryLogin) Equal(other RegistryLogin) bool {
	return l.Registry == other.Registry && l.Username == other.Username && l.Mutation == other.Mutation && l.Time.Equal(&other.Time)
}

// RegistrySecret is the name of the Secret that holds the login of a registry.
func RegistrySecret(registry string) string {
	return HashedName("registry-"+registry, registry, 63)
}

// RegistryLogins are those that a namespace's annotations tell of, by registry. What
// somebody made of the annotation that cannot be read is no login.
func RegistryLogins(namespace metav1.Object) []RegistryLogin {
	var logins []RegistryLogin
	if err := json.Unmarshal([]byte(namespace.GetAnnotations()[AnnotationRegistryLogins]), &logins); err != nil {
		return nil
	}
	return logins
}

// FormatRegistryLogins is the value of AnnotationRegistryLogins.
func FormatRegistryLogins(logins []RegistryLogin) (string, error) {
	text, err := json.Marshal(logins)
	return string(text), err
}
