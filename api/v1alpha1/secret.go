package v1alpha1

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationSecrets is on an account's Namespace and on an Image, and tells which of a
// user's secrets there are, as JSON; see Secrets. Nobody but a build's node has to read
// a Secret to know that it is there.
const AnnotationSecrets = "drydock.dev/secrets"

// SecretUse is what a user's secret is for.
type SecretUse string

// The uses of users' secrets.
const (
	// SecretRegistry is a login at the registry Name, host[:port]; a Namespace tells of it. The
	// Secret is of the type kubernetes.io/dockerconfigjson.
	SecretRegistry SecretUse = "registry"
	// SecretGit is what the repository of an Image is read with; it has no Name.
	SecretGit SecretUse = "git"
	// SecretBuild is a secret of the id Name for the builds of an Image.
	SecretBuild SecretUse = "build"
)

// The keys of the Secrets for git and for builds.
const (
	// GitOriginKey is what the credential is good for: https://host[:port] or ssh://host[:port].
	GitOriginKey = "origin"
	// GitUsernameKey is who a token is of.
	GitUsernameKey = "username"
	// GitTokenKey is the token.
	GitTokenKey = "token"
	// GitSSHKey is a private key in PEM.
	GitSSHKey = "ssh-privatekey"
	// BuildSecretKey is the value of a build secret.
	BuildSecretKey = "value"
)

// Secrets are those that one object tells of. Each setting has a Secret of its own: what
// is listed is there, and what is there is listed or loose, whoever dies at whatever
// moment (docs/adr/0018).
// +kubebuilder:object:generate=false
type Secrets struct {
	// Kept are in use, by use and name.
	Kept []KeptSecret `json:"kept,omitempty"`
	// Loose may be there, and are in use by nobody: they are to be deleted when they are due.
	Loose []LooseSecret `json:"loose,omitempty"`
	// Mutations are hashes of the newest changes, for a repetition to be known.
	Mutations []string `json:"mutations,omitempty"`
}

// KeptSecret is a user's secret without what is secret about it.
// +kubebuilder:object:generate=false
type KeptSecret struct {
	Use SecretUse `json:"use"`
	// Name tells it from others of its use.
	Name string `json:"name,omitempty"`
	// Secret is the name of the Secret.
	Secret string `json:"secret"`
	// Time is when it was set.
	Time metav1.Time `json:"time"`
	// Username is a login's or a token's.
	Username string `json:"username,omitempty"`
	// Kind is TOKEN or SSH_KEY, of a secret for git.
	Kind string `json:"kind,omitempty"`
	// Host is the one that a secret for git is good for, host[:port].
	Host string `json:"host,omitempty"`
}

// LooseSecret is the name of a Secret, and when it is to be deleted.
// +kubebuilder:object:generate=false
type LooseSecret struct {
	Secret string      `json:"secret"`
	Due    metav1.Time `json:"due"`
}

// SecretsOf are those that an object's annotation tells of. One that somebody made so
// that it cannot be read tells of none.
func SecretsOf(object metav1.Object) Secrets {
	var all Secrets
	if err := json.Unmarshal([]byte(object.GetAnnotations()[AnnotationSecrets]), &all); err != nil {
		return Secrets{}
	}
	return all
}

// Annotate makes an object tell of the secrets.
func (s *Secrets) Annotate(object metav1.Object) error {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if delete(annotations, AnnotationSecrets); len(s.Kept)+len(s.Loose)+len(s.Mutations) > 0 {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		annotations[AnnotationSecrets] = string(text)
	}
	object.SetAnnotations(annotations)
	return nil
}

// Find is the one of a use and a name.
func (s *Secrets) Find(use SecretUse, name string) (KeptSecret, bool) {
	at, there := s.place(use, name)
	if !there {
		return KeptSecret{}, false
	}
	return s.Kept[at], true
}

// Of are those of a use, by name.
func (s *Secrets) Of(use SecretUse) []KeptSecret {
	var found []KeptSecret
	for _, kept := range s.Kept {
		if kept.Use == use {
			found = append(found, kept)
		}
	}
	return found
}

// Announce notes a Secret that is about to be written: loose, until Keep.
func (s *Secrets) Announce(secret string, due metav1.Time) {
	s.Loose = append(s.Loose, LooseSecret{secret, due})
}

// Keep takes an announced Secret into use. The one that it replaces is loose, and due
// then. It is false for a Secret that was not announced, or was taken for lost meanwhile.
func (s *Secrets) Keep(kept KeptSecret, due metav1.Time) bool {
	if !slices.ContainsFunc(s.Loose, func(loose LooseSecret) bool { return loose.Secret == kept.Secret }) {
		return false
	}
	s.Forget(kept.Secret)
	s.Drop(kept.Use, kept.Name, due)
	at, _ := s.place(kept.Use, kept.Name)
	s.Kept = slices.Insert(s.Kept, at, kept)
	return true
}

// Drop takes a Secret out of use: it is loose, and due then. It is false where there is none.
func (s *Secrets) Drop(use SecretUse, name string, due metav1.Time) bool {
	at, there := s.place(use, name)
	if there {
		s.Announce(s.Kept[at].Secret, due)
		s.Kept = slices.Delete(s.Kept, at, at+1)
	}
	return there
}

// Forget strikes Secrets that are deleted off the loose ones.
func (s *Secrets) Forget(deleted ...string) {
	s.Loose = slices.DeleteFunc(s.Loose, func(loose LooseSecret) bool { return slices.Contains(deleted, loose.Secret) })
}

// Note remembers a mutation; an empty one is none. The newest 16 are kept.
func (s *Secrets) Note(mutation string) {
	if mutation == "" {
		return
	}
	s.Mutations = append(s.Mutations, mutation)
	s.Mutations = s.Mutations[max(0, len(s.Mutations)-16):]
}

// Noted tells whether a mutation is remembered.
func (s *Secrets) Noted(mutation string) bool {
	return mutation != "" && slices.Contains(s.Mutations, mutation)
}

func (s *Secrets) place(use SecretUse, name string) (int, bool) {
	return slices.BinarySearchFunc(s.Kept, KeptSecret{Use: use, Name: name}, func(a, b KeptSecret) int {
		return cmp.Or(strings.Compare(string(a.Use), string(b.Use)), strings.Compare(a.Name, b.Name))
	})
}
