package signing

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// KeyBytes is the size of a key.
const KeyBytes = 32

// Decode reads keys of 32 bytes in base64 (any alphabet, padded or not), separated by
// commas, spaces or line ends, one at least.
func Decode(text string) ([][]byte, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(fields) == 0 {
		return nil, errors.New("no key; make one with: openssl rand -base64 32")
	}
	keys := make([][]byte, len(fields))
	for i, field := range fields {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(field, "="))
		key, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil || len(key) != KeyBytes {
			return nil, fmt.Errorf("key %d of %d is not 32 bytes in base64; make one with: openssl rand -base64 32", i+1, len(fields))
		}
		keys[i] = key
	}
	return keys, nil
}

// Generate makes a new key in the form that Decode reads.
func Generate() string {
	key := make([]byte, KeyBytes)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return base64.StdEncoding.EncodeToString(key)
}
