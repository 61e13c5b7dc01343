package auth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"drydock.dev/drydock/signing"
)

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
	decoded, err := signing.Decode(text)
	if err != nil {
		return nil, err
	}
	keys := &Keys{byID: map[string][]byte{}}
	for i, key := range decoded {
		sum := sha256.Sum256(key)
		id := hex.EncodeToString(sum[:4])
		if i == 0 {
			keys.sealing = id
		}
		keys.byID[id] = key
	}
	return keys, nil
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
	derived, err := hkdf.Key(sha256.New, key, nil, use, signing.KeyBytes)
	return derived, err == nil
}
