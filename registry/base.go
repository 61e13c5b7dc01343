package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	remote "github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/transport"
)

// Base is a tag that is asked for now and then, without a login. It is for one caller at
// a time.
type Base struct {
	reference    string
	tag          name.Tag
	through      http.RoundTripper
	client       *http.Client // nil until somebody knows how the registry is asked
	digest, etag string       // of the last answer
}

// Base makes a Base of host/path:tag; it asks nobody. An error says that it is no tag.
func (l *Logins) Base(reference string) (*Base, error) {
	host, _, _ := strings.Cut(reference, "/")
	through, options := l.strict, []name.Option{name.StrictValidation}
	if l.rules.Plain(host) {
		through, options = l.vouched, append(options, name.Insecure)
	}
	tag, err := name.NewTag(reference, options...)
	return &Base{reference: reference, tag: tag, through: patient{through}}, err
}

// Host is the registry's, host[:port].
func (b *Base) Host() string { return b.tag.RegistryStr() }

// Digest is what the registry has at the tag now: of the index, for several platforms.
// Faults: Forbidden where a login is needed, NotFound, BadUserInput for a registry that may
// not be asked or tells no digests. Any other error may be gone the next time; *Busy says when.
// Registry: HEAD of the manifest, with If-None-Match where the last answer had an ETag
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry);
// before the first GET /v2/, and what its challenge asks for.
func (b *Base) Digest(ctx context.Context) (string, error) {
	response, err := b.head(ctx)
	if err != nil {
		return "", b.failed(err)
	}
	_ = response.Body.Close() // HEAD has none
	switch status := response.StatusCode; {
	case status == http.StatusNotModified && b.etag != "":
		return b.digest, nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		b.client = nil
		return "", b.private()
	case status == http.StatusNotFound:
		return "", fault.New(fault.NotFound, "The base image %s is not there, or needs a login: it is not watched.", b.reference)
	case status != http.StatusOK:
		return "", fault.New(fault.Unavailable, "The registry %s answered %d when asked for %s.", b.Host(), status, b.reference)
	}
	digest := response.Header.Get("Docker-Content-Digest")
	if digest == "" {
		return "", fault.New(fault.BadUserInput, "The registry %s does not tell digests: the base image %s is not watched.", b.Host(), b.reference)
	}
	b.digest, b.etag = digest, response.Header.Get("ETag")
	return digest, nil
}

// manifests are the kinds of manifests that a tag may name.
var manifests = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList), string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// head asks for the manifest. Redirects are followed: there is no password to be told.
func (b *Base) head(ctx context.Context) (*http.Response, error) {
	if b.client == nil {
		through, err := remote.NewWithContext(ctx, b.tag.Registry, authn.Anonymous, b.through, []string{b.tag.Scope(remote.PullScope)})
		if err != nil {
			return nil, err
		}
		b.client = &http.Client{Transport: through}
	}
	// The transport makes it plain HTTP where the registry speaks that.
	at := url.URL{Scheme: "https", Host: b.Host(), Path: "/v2/" + b.tag.RepositoryStr() + "/manifests/" + b.tag.TagStr()}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, at.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", manifests)
	if b.etag != "" {
		request.Header.Set("If-None-Match", b.etag)
	}
	return b.client.Do(request)
}

func (b *Base) failed(err error) error {
	var busy *Busy
	var answer *remote.Error
	switch {
	case errors.As(err, &busy):
		return busy
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		return b.private() // not even a token for nobody
	default:
		return verdict(b.Host(), err)
	}
}

func (b *Base) private() error {
	return fault.New(fault.Forbidden, "The base image %s needs a login, and is not watched: a schedule can rebuild in its place.", b.reference)
}

// Busy says that a registry wants to be left alone for a while.
type Busy struct{ Wait time.Duration }

func (b *Busy) Error() string {
	return fmt.Sprintf("the registry wants to be left alone for %s", b.Wait)
}

// Where a registry does not say how long, and how long it may say.
const (
	busyWait    = time.Minute
	maxBusyWait = 24 * time.Hour
)

// patient makes a *Busy of a registry's wish, whatever it was asked for: a manifest, a token,
// or how to ask.
type patient struct{ through http.RoundTripper }

func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.through.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return response, err
	}
	_ = response.Body.Close()
	wait, told := transport.RetryAfter(response)
	if !told {
		wait = busyWait
	}
	return nil, &Busy{Wait: min(wait, maxBusyWait)}
}
