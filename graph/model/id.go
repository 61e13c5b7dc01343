package model

import (
	"encoding/base64"
	"strings"
)

// The kinds of global ids.
const (
	KindAccount            = "Account"
	KindPlan               = "Plan"
	KindImage              = "Image"
	KindBuild              = "Build"
	KindRegistryCredential = "RegistryCredential"
)

// Key names an image, a build or a registry credential within Drydock: whose it is, and
// its name there; a credential's is its registry.
type Key struct {
	Login string
	Name  string
}

// EncodeID makes a global, opaque id (Relay's Global Object Identification) of a
// kind and the parts that name the thing within it. Parts hold no slash.
func EncodeID(kind string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + "/" + strings.Join(parts, "/")))
}

// DecodeID takes a global id apart. ok is false for text that EncodeID did not make.
func DecodeID(id string) (kind string, parts []string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return "", nil, false
	}
	parts = strings.Split(string(raw), "/")
	if len(parts) < 2 {
		return "", nil, false
	}
	for _, part := range parts {
		if part == "" {
			return "", nil, false
		}
	}
	return parts[0], parts[1:], true
}

// DecodeKey takes the id of what has a Key apart.
func DecodeKey(kind, id string) (Key, bool) {
	got, parts, ok := DecodeID(id)
	if !ok || got != kind || len(parts) != 2 {
		return Key{}, false
	}
	return Key{Login: parts[0], Name: parts[1]}, true
}
