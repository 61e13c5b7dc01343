package auth

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// keyBytes is the size of a key of A256GCM.
const keyBytes = 32

// maxSealed bounds what is tried to open, in bytes: a cookie is at most 4096.
const maxSealed = 4096

// errSealed tells that a text was not sealed by one of the keys for this use.
var errSealed = errors.New("not sealed by a known key")

// Keys seal small values for the browser to keep, and sign access tokens. The first key
// seals and signs, every key opens and verifies: to rotate, put a new key in front, and
// drop the old one when what it sealed and signed has expired.
type Keys struct {
	sealing string
	byID    map[string][]byte
}

// ParseKeys reads keys of 32 bytes in base64 (any alphabet, padded or not),
// separated by commas, spaces or line ends.
func ParseKeys(text string) (*Keys, error) {
	keys := &Keys{byID: map[string][]byte{}}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
	for i, field := range fields {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(field, "="))
		key, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil || len(key) != keyBytes {
			return nil, fmt.Errorf("key %d of %d is not 32 bytes in base64; make one with: openssl rand -base64 32", i+1, len(fields))
		}
		sum := sha256.Sum256(key)
		id := hex.EncodeToString(sum[:4])
		if i == 0 {
			keys.sealing = id
		}
		keys.byID[id] = key
	}
	if keys.sealing == "" {
		return nil, errors.New("no key; make one with: openssl rand -base64 32")
	}
	return keys, nil
}

// GenerateKey makes a new key in the form that ParseKeys reads.
func GenerateKey() string {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return base64.StdEncoding.EncodeToString(key)
}

// seal encrypts a value for one use as a compact JWE (RFC 7516), dir with A256GCM.
// use is in the protected header, so that a value sealed for one use does not open
// for another.
func (k *Keys) seal(use string, value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	recipient := jose.Recipient{Algorithm: jose.DIRECT, Key: k.byID[k.sealing], KeyID: k.sealing}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, (&jose.EncrypterOptions{}).WithType(jose.ContentType(use)))
	if err != nil {
		return "", err
	}
	sealed, err := encrypter.Encrypt(plain)
	if err != nil {
		return "", err
	}
	return sealed.CompactSerialize()
}

// open is the reverse of seal; any failure is errSealed.
func (k *Keys) open(use, sealed string, value any) error {
	if len(sealed) > maxSealed {
		return errSealed
	}
	parsed, err := jose.ParseEncryptedCompact(sealed, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return errSealed
	}
	key, known := k.byID[parsed.Header.KeyID]
	if !known || parsed.Header.ExtraHeaders[jose.HeaderType] != use {
		return errSealed
	}
	plain, err := parsed.Decrypt(key)
	if err != nil || json.Unmarshal(plain, value) != nil {
		return errSealed
	}
	return nil
}

// derive makes the key for one use of one of the keys (HKDF, RFC 5869): what signs is
// never what seals.
func (k *Keys) derive(id, use string) ([]byte, bool) {
	key, known := k.byID[id]
	if !known {
		return nil, false
	}
	derived, err := hkdf.Key(sha256.New, key, nil, use, keyBytes)
	return derived, err == nil
}
