package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// SecretHeader is where a trusted proxy shows the shared secret.
const SecretHeader = "X-Drydock-Proxy-Secret"

// TrustOptions say which proxy may tell who is asking, and by what it proves itself. Of
// Secret and Certificate at least one is needed; of both, both must hold.
type TrustOptions struct {
	// Header holds the login, such as X-Forwarded-User.
	Header string
	// Secret is what the proxy sends as SecretHeader; empty: none is asked for.
	Secret string
	// Certificate asks for a TLS client certificate that the server has verified.
	Certificate bool
	// Lasts is how long a stream may last before the proxy must prove its user anew.
	Lasts    time.Duration
	Accounts Accounts
	Log      *slog.Logger
	Now      func() time.Time
}

// Trust takes a proxy's word for who is asking, once the proxy has proven itself.
type Trust struct {
	options TrustOptions

	mu     sync.Mutex
	warned time.Time
}

// NewTrust makes trust in a proxy; without proof there is none.
func NewTrust(o TrustOptions) (*Trust, error) {
	switch {
	case o.Header == "" || o.Accounts == nil || o.Log == nil || o.Now == nil || o.Lasts <= 0:
		return nil, errors.New("auth: Header, Lasts, Accounts, Log and Now are needed")
	case o.Secret == "" && !o.Certificate:
		return nil, errors.New("auth: without a secret or a certificate anybody could send the header")
	}
	return &Trust{options: o}, nil
}

// Word is what a proxy said with a request, proven or not.
type Word struct{ names, secrets []string }

// Take takes a proxy's word off a request: its headers go no further.
func (t *Trust) Take(r *http.Request) Word {
	word := Word{names: r.Header.Values(t.options.Header), secrets: r.Header.Values(SecretHeader)}
	r.Header.Del(t.options.Header)
	r.Header.Del(SecretHeader)
	return word
}

// Viewer is who the proxy says is asking; ok is false where it says nobody, or did not
// prove itself. An account is made at first sight.
func (t *Trust) Viewer(r *http.Request, word Word) (v Viewer, ok bool, err error) {
	names := word.names
	if len(names) == 0 || len(names) == 1 && names[0] == "" {
		return Viewer{}, false, nil
	}
	if !t.proven(r, word.secrets) {
		t.dropped(r)
		return Viewer{}, false, nil
	}
	name := strings.ToLower(strings.TrimSpace(names[0]))
	if len(names) > 1 || !login.MatchString(name) {
		return Viewer{}, false, fault.New(fault.Forbidden,
			"The proxy in front names a user that cannot have an account: a login has 1 to 39 letters, digits, - and _, and begins with a letter or digit.")
	}
	account, err := t.options.Accounts.SignUp(r.Context(), model.Identity{Login: name})
	if err != nil {
		return Viewer{}, false, err
	}
	now := t.options.Now()
	return Viewer{Login: account.Login, CustomerID: account.CustomerID, SignedIn: now, Expires: now.Add(t.options.Lasts)}, true, nil
}

// proven tells whether the proxy has shown all that is asked of it.
func (t *Trust) proven(r *http.Request, secrets []string) bool {
	if t.options.Secret != "" {
		if len(secrets) != 1 {
			return false
		}
		given, want := sha256.Sum256([]byte(secrets[0])), sha256.Sum256([]byte(t.options.Secret))
		if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
			return false
		}
	}
	return !t.options.Certificate || r.TLS != nil && len(r.TLS.VerifiedChains) > 0
}

// dropped logs a header without proof, at most once a minute.
func (t *Trust) dropped(r *http.Request) {
	now := t.options.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.warned.IsZero() && now.Sub(t.warned) < time.Minute {
		return
	}
	t.warned = now
	t.options.Log.WarnContext(r.Context(), "a user's name came without the proof of a trusted proxy, and was dropped", "header", t.options.Header, "remote", r.RemoteAddr)
}
