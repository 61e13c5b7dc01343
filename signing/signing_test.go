package signing_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/signing"
)

func key(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, signing.KeyBytes))
}

func parse(t *testing.T, text string) *signing.Keys {
	t.Helper()
	keys, err := signing.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestSecret holds that a secret depends on all that it is for, and on nothing else.
func TestSecret(t *testing.T) {
	keys := parse(t, key(1))
	secret := keys.Secret("push", "image/1")
	if len(secret) != 64 || strings.Trim(secret, "0123456789abcdef") != "" {
		t.Errorf("not 64 hexadecimal digits: %d characters", len(secret))
	}
	// Known by HKDF-SHA256 elsewhere: a change of the derivation would void every secret.
	if want := "1e6e6596c340b37ee4d01aaf5b3307a9836cbe62123954e7505abe30a917cc02"; secret != want {
		t.Errorf("the derivation changed: %s", secret)
	}
	for _, test := range []struct {
		reason            string
		keys              *signing.Keys
		purpose, identity string
		same              bool
	}{
		{"another replica has the same", parse(t, key(1)), "push", "image/1", true},
		{"an old key behind the first one changes nothing", parse(t, key(1)+","+key(2)), "push", "image/1", true},
		{"another key", parse(t, key(2)), "push", "image/1", false},
		{"another purpose", keys, "outgoing", "image/1", false},
		{"another identity", keys, "push", "image/2", false},
		{"the purpose ends where it ends", keys, "pushi", "mage/1", false},
	} {
		if got := test.keys.Secret(test.purpose, test.identity); (got == secret) != test.same {
			t.Errorf("%s: the same secret: %t", test.reason, !test.same)
		}
	}
}

// TestRotation holds that secrets of an old key hold as long as it is there.
func TestRotation(t *testing.T) {
	old, rotated := parse(t, key(1)), parse(t, key(2)+"\n"+key(1))
	given := old.Secret("push", "x")
	if !slices.Contains(rotated.Secrets("push", "x"), given) {
		t.Error("a secret given out before the rotation does not hold")
	}
	if rotated.Secret("push", "x") == given || rotated.Secrets("push", "x")[0] != rotated.Secret("push", "x") {
		t.Error("new secrets are not the first key's")
	}
}

// TestNoKeys holds that without keys there is no secret that anybody could compute.
func TestNoKeys(t *testing.T) {
	var none *signing.Keys
	if none.Known() || none.Secret("push", "x") != "" || none.Secrets("push", "x") != nil {
		t.Error("there are secrets without keys")
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		reason, text string
		legal        bool
	}{
		{"one", key(1), true},
		{"a generated one", signing.Generate(), true},
		{"several, by commas, spaces and lines", key(1) + ", " + key(2) + "\n" + key(3) + "\n", true},
		{"nothing", " \n", false},
		{"too short", "c2hvcnQ=", false},
		{"one of two is wrong", key(1) + ",!!!", false},
	} {
		keys, err := signing.Parse(test.text)
		if (err == nil) != test.legal || keys.Known() != test.legal {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}
