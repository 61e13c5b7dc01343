package v1alpha1

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationGitCredential is on an Image and tells how its private repository is read, as
// JSON; see GitCredential.
const AnnotationGitCredential = "drydock.dev/git-credential"

// The keys of the Secret GitSecret, which builds find as files.
const (
	// GitOriginKey is what the credential is good for: https://host[:port] or ssh://host[:port].
	GitOriginKey = "origin"
	// GitUsernameKey is who a token is of.
	GitUsernameKey = "username"
	// GitTokenKey is the token.
	GitTokenKey = "token"
	// GitSSHKey is a private key in PEM.
	GitSSHKey = "ssh-privatekey"
)

// GitCredential is an image's credential without its secret, which is in the Secret
// GitSecret.
// +kubebuilder:object:generate=false
type GitCredential struct {
	// Kind is TOKEN or SSH_KEY.
	Kind string `json:"kind"`
	// Host is host[:port].
	Host string `json:"host"`
	// Username is a token's.
	Username string `json:"username,omitempty"`
	// Time is when it was set last.
	Time metav1.Time `json:"time"`
}

// GitSecret is the name of the Secret of an image's git credential; builds use it where
// it is there.
func GitSecret(image, uid string) string { return HashedName("git-"+image, uid, 63) }

// GitCredentialOf is what an Image's annotation tells; not ok without a credential.
func GitCredentialOf(image metav1.Object) (credential GitCredential, ok bool) {
	err := json.Unmarshal([]byte(image.GetAnnotations()[AnnotationGitCredential]), &credential)
	return credential, err == nil && credential.Kind != ""
}
