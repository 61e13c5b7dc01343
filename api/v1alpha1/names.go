package v1alpha1

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"
)

// Labels and annotations on Drydock's objects.
const (
	// LabelAccount is on every object of an account, namespace included: the
	// account's legal name, see LegalName.
	LabelAccount = "drydock.dev/account"
	// AnnotationLogin is on an account's namespace: the login as Stripe has it.
	AnnotationLogin = "drydock.dev/login"
	// AnnotationCustomer is on an account's namespace: the account at Stripe, to which
	// all that is in it belongs. The login's next owner has another one.
	AnnotationCustomer = "drydock.dev/customer"
	// LabelImage is the name of the image that a Build, a Job or a log is of.
	LabelImage = "drydock.dev/image"
	// LabelBuild is the name of the Build that a Job, a pod or a log belongs to.
	LabelBuild = "drydock.dev/build"
	// AnnotationCancelRequested, on a Build, asks the controller to end it: an
	// RFC 3339 time. It is not in the spec because the spec is immutable.
	AnnotationCancelRequested = "drydock.dev/cancel-requested"
	// AnnotationRetryOf, on a Build: the name of the one that it starts again by itself.
	AnnotationRetryOf = "drydock.dev/retry-of"
	// SystemNamespace is where an installation keeps its own objects: build
	// strategies, the leader's Lease.
	SystemNamespace = "drydock-system"
	// LabelStrategy marks a PodTemplate of the system namespace as a build
	// strategy; the label's value is the strategy's name.
	LabelStrategy = "drydock.dev/build-strategy"
)

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// NamespacePrefix begins the name of every account's namespace.
const NamespacePrefix = "drydock-"

// Namespace is the namespace of an account: drydock-<legal name>.
func Namespace(login string) string { return NamespacePrefix + AccountLabel(login) }

// AccountLabel is the value of LabelAccount: the account's legal name. The login
// "system" is hashed: its namespace would be the installation's own.
func AccountLabel(login string) string {
	if NamespacePrefix+login == SystemNamespace {
		return HashedName(login, login, 50)
	}
	return LegalName(login, 50)
}

// LoginOf is the login that an object says it belongs to, if the namespace agrees.
// One that was made without saying so belongs to the login in the namespace's name,
// unless that is hashed.
func LoginOf(namespace, annotated string) string {
	for _, login := range []string{annotated, strings.TrimPrefix(namespace, NamespacePrefix)} {
		if login != "" && Namespace(login) == namespace {
			return login
		}
	}
	return ""
}

// LegalName turns any text into a DNS label of at most limit characters (RFC
// 1123). A text that is one already stays as it is; of any other the legal part
// is kept for people and a hash makes it unique.
func LegalName(text string, limit int) string {
	if label.MatchString(text) && len(text) <= limit && !hashed.MatchString(text) {
		return text
	}
	return HashedName(text, text, limit)
}

// hashed is what LegalName's own results look like: a text of that form is hashed
// again, so that nobody can choose a name that meets another's.
var hashed = regexp.MustCompile(`-x[a-z2-7]{12}$`)

// HashedName is a DNS label of at most limit characters: the legal part of prefix,
// then a hash of identity. The same pair gives the same name.
func HashedName(prefix, identity string, limit int) string {
	sum := sha256.Sum256([]byte(identity))
	tail := "-x" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:12])
	legal := strings.Trim(strings.Map(legalRune, strings.ToLower(prefix)), "-")
	if len(legal) > limit-len(tail) {
		legal = strings.TrimRight(legal[:limit-len(tail)], "-")
	}
	if legal == "" {
		return tail[1:]
	}
	return legal + tail
}

func legalRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}
