package signing

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
)

// What secrets are for. A secret for one purpose is never one for another.
const (
	// GitHubPush secrets prove GitHub's webhooks.
	GitHubPush = "github-push"
	// OutgoingWebhook secrets prove to others what Drydock tells them.
	OutgoingWebhook = "outgoing-webhook"
)

// Keys derive secrets. The first key makes new ones, those of every key hold: to rotate,
// put a new key in front, give out new secrets, drop the old key. A nil Keys has none.
type Keys struct{ keys [][]byte }

// Parse reads keys as Decode does.
func Parse(text string) (*Keys, error) {
	keys, err := Decode(text)
	if err != nil {
		return nil, err
	}
	return &Keys{keys}, nil
}

// Known tells whether there are keys; without them there are no secrets.
func (k *Keys) Known() bool { return k != nil && len(k.keys) > 0 }

// Secret is the secret for a purpose and whom it is for, by the first key: 64 hexadecimal
// digits; "" without keys. An identity that is new gives another secret.
func (k *Keys) Secret(purpose, identity string) string {
	if !k.Known() {
		return ""
	}
	return derive(k.keys[0], purpose, identity)
}

// Secrets are the secrets that hold, by every key, the first key's first.
func (k *Keys) Secrets(purpose, identity string) []string {
	if !k.Known() {
		return nil
	}
	secrets := make([]string, len(k.keys))
	for i, key := range k.keys {
		secrets[i] = derive(key, purpose, identity)
	}
	return secrets
}

// derive is HKDF with SHA-256 (RFC 5869). NUL, which no purpose holds, ends the purpose.
func derive(key []byte, purpose, identity string) string {
	secret, err := hkdf.Key(sha256.New, key, nil, purpose+"\x00"+identity, KeyBytes)
	if err != nil {
		panic(err) // only for a length beyond HKDF's, and FIPS mode's short keys
	}
	return hex.EncodeToString(secret)
}
