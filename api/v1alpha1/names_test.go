package v1alpha1_test

import (
	"regexp"
	"strings"
	"testing"

	"drydock.dev/drydock/api/v1alpha1"
)

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func TestNamespace(t *testing.T) {
	seen := map[string]string{v1alpha1.SystemNamespace: "the installation"}
	for _, test := range []struct {
		reason, login string
		plain         bool
	}{
		{"a usual login is found in its namespace's name", "ada", true},
		{"hyphens are legal", "ada-lovelace", true},
		{"underscores are not", "ada_acme", false},
		{"nor a hyphen at the end", "ada-", false},
		{"case matters", "Ada", false},
		{"nobody gets the installation's own namespace", "system", false},
		{"a login that looks like a hashed one is hashed again", strings.TrimPrefix(v1alpha1.Namespace("ada_acme"), v1alpha1.NamespacePrefix), false},
		{"a long login is cut", strings.Repeat("a", 300), false},
		{"any text has a namespace", "Ädä/../x", false},
		{"even none", "", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			namespace := v1alpha1.Namespace(test.login)
			if !dnsLabel.MatchString(namespace) || len(namespace) > 63 {
				t.Errorf("%s is no DNS label", namespace)
			}
			if plain := namespace == v1alpha1.NamespacePrefix+test.login; plain != test.plain {
				t.Errorf("%s: plain is %v, want %v", namespace, plain, test.plain)
			}
			if other, taken := seen[namespace]; taken {
				t.Errorf("%s is that of %s too", namespace, other)
			}
			seen[namespace] = test.login
		})
	}
}
