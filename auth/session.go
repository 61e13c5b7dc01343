package auth

import (
	"net/http"
	"time"

	"drydock.dev/drydock/graph/model"
)

// MaxSession is how long a session can be renewed; then one signs in again.
const MaxSession = 90 * 24 * time.Hour

const sessionUse = "drydock-session+jwe"

// Sessions keeps who is signed in in a sealed cookie of the browser: HttpOnly,
// SameSite=Lax, and with https Secure under the __Host- prefix (RFC 6265bis).
type Sessions struct {
	keys   *Keys
	ttl    time.Duration
	secure bool
	now    func() time.Time
}

// NewSessions makes sessions that last ttl since they were last renewed. secure
// tells that browsers come by https.
func NewSessions(keys *Keys, ttl time.Duration, secure bool, now func() time.Time) *Sessions {
	return &Sessions{keys: keys, ttl: ttl, secure: secure, now: now}
}

// claims is what the cookie holds; times in Unix seconds.
type claims struct {
	Login    string `json:"login"`
	Customer string `json:"cus"`
	GithubID int64  `json:"id,omitempty"`
	SignedIn int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// Handler signs the cookie's viewer in for next, and renews a session in the
// second half of its life.
func (s *Sessions) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		viewer, ok := s.read(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if viewer.Expires.Sub(s.now()) < s.ttl/2 {
			if renewed, err := s.write(w, viewer); err == nil {
				viewer = renewed
			}
		}
		next.ServeHTTP(w, r.WithContext(WithViewer(r.Context(), viewer)))
	})
}

// begin starts a session of an account's; githubID is 0 where GitHub did not tell it.
func (s *Sessions) begin(w http.ResponseWriter, account *model.Account, githubID int64) error {
	_, err := s.write(w, Viewer{Login: account.Login, CustomerID: account.CustomerID, GithubID: githubID, SignedIn: s.now()})
	return err
}

// End takes the session's cookie away.
func (s *Sessions) End(w http.ResponseWriter) { http.SetCookie(w, s.cookie(s.name(), "", -1)) }

// read opens the cookie; ok is false without one that holds.
func (s *Sessions) read(r *http.Request) (Viewer, bool) {
	cookie, err := r.Cookie(s.name())
	if err != nil {
		return Viewer{}, false
	}
	var got claims
	if s.keys.open(sessionUse, cookie.Value, &got) != nil || got.Login == "" {
		return Viewer{}, false
	}
	viewer := Viewer{
		Login: got.Login, CustomerID: got.Customer, GithubID: got.GithubID,
		SignedIn: time.Unix(got.SignedIn, 0).UTC(), Expires: time.Unix(got.Expires, 0).UTC(),
	}
	return viewer, s.now().Before(viewer.Expires)
}

// write seals the viewer with a new expiry into the cookie.
func (s *Sessions) write(w http.ResponseWriter, v Viewer) (Viewer, error) {
	now := s.now()
	v.Expires = now.Add(s.ttl)
	if last := v.SignedIn.Add(MaxSession); v.Expires.After(last) {
		v.Expires = last
	}
	sealed, err := s.keys.seal(sessionUse, claims{
		Login: v.Login, Customer: v.CustomerID, GithubID: v.GithubID, SignedIn: v.SignedIn.Unix(), Expires: v.Expires.Unix(),
	})
	if err != nil {
		return v, err
	}
	http.SetCookie(w, s.cookie(s.name(), sealed, int(v.Expires.Sub(now).Seconds())))
	return v, nil
}

func (s *Sessions) name() string { return s.prefix() + "drydock_session" }

func (s *Sessions) prefix() string {
	if s.secure {
		return "__Host-"
	}
	return ""
}

func (s *Sessions) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}
