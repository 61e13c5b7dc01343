package model

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// RegistryCredential is an account's login at a registry, without its password.
type RegistryCredential struct {
	// Login is whose it is.
	Login string
	// Registry is host[:port], as CanonicalRegistry gives it.
	Registry string
	Username string
	// CreatedAt is when it was set last.
	CreatedAt time.Time
}

// IsNode marks a credential as having a global id.
func (*RegistryCredential) IsNode() {}

// ID is the credential's global id.
func (c *RegistryCredential) ID() string {
	return EncodeID(KindRegistryCredential, c.Login, c.Registry)
}

// GetID serves gqlgen's Node interface.
func (c *RegistryCredential) GetID() string { return c.ID() }

const (
	maxRegistry = 255
	maxUsername = 255
	// maxPassword is in bytes: tokens of cloud registries are some thousands long.
	maxPassword = 16 << 10
)

var (
	legalRegistry = regexp.MustCompile(`^((localhost|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+)(:[0-9]{1,5})?|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5})$`)
	// legalUsername is what fits into HTTP's basic authentication (RFC 7617): no colon.
	legalUsername = regexp.MustCompile(`^[^\x00-\x20\x7f:][^\x00-\x1f\x7f:]*$`)
)

// DockerHub has many names, of which image names use this one.
const DockerHub = "docker.io"

var dockerHubs = map[string]bool{"index.docker.io": true, "registry-1.docker.io": true, "registry.hub.docker.com": true}

// CanonicalRegistry is the one name of a registry, host[:port].
func CanonicalRegistry(registry string) string {
	registry = strings.ToLower(registry)
	if dockerHubs[registry] {
		return DockerHub
	}
	return registry
}

// Validate says all that is wrong with a login. It never repeats the password.
func (in *SetRegistryCredentialInput) Validate() []Problem {
	var p problems
	p.text("registry", in.Registry, legalRegistry, maxRegistry,
		"host[:port], such as registry.example.com or localhost:5000, without https:// and without a path")
	p.text("username", in.Username, legalUsername, maxUsername, "a user's or a token's name, without a colon")
	p.check(in.Password != "" && len(in.Password) <= maxPassword && utf8.ValidString(in.Password) && !strings.Contains(in.Password, "\x00"),
		"password", "must be a password or a token, at most %d bytes", maxPassword)
	p.mutationID(deref(in.ClientMutationID))
	return p
}
