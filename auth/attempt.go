package auth

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// attemptTTL is how long somebody may take to sign in at GitHub.
const attemptTTL = 10 * time.Minute

const attemptUse = "drydock-attempt+jwe"

var errAttempt = errors.New("the sign-in was not begun in this browser, or took too long")

// attempt is a sign-in under way: what binds GitHub's answer to the browser that
// asked. It lives in a sealed cookie of its own.
type attempt struct {
	// State is OAuth2's state (RFC 6749, 10.12).
	State string `json:"state"`
	// Verifier is PKCE's code verifier (RFC 7636).
	Verifier string `json:"verifier"`
	// ReturnTo is the local path to go to afterwards.
	ReturnTo string `json:"returnTo"`
	Expires  int64  `json:"exp"`
}

func (s *Sessions) attemptName() string { return s.prefix() + "drydock_attempt" }

func (s *Sessions) writeAttempt(w http.ResponseWriter, a attempt) error {
	a.Expires = s.now().Add(attemptTTL).Unix()
	sealed, err := s.keys.seal(attemptUse, a)
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(s.attemptName(), sealed, int(attemptTTL.Seconds())))
	return nil
}

// takeAttempt gives the browser's attempt if state is its state, and ends it: an
// attempt is good for one answer.
func (s *Sessions) takeAttempt(w http.ResponseWriter, r *http.Request, state string) (attempt, error) {
	cookie, err := r.Cookie(s.attemptName())
	if err != nil {
		return attempt{}, errAttempt
	}
	http.SetCookie(w, s.cookie(s.attemptName(), "", -1))
	var got attempt
	if s.keys.open(attemptUse, cookie.Value, &got) != nil || s.now().Unix() >= got.Expires {
		return attempt{}, errAttempt
	}
	if subtle.ConstantTimeCompare([]byte(state), []byte(got.State)) != 1 {
		return attempt{}, errAttempt
	}
	return got, nil
}

// localPath is path if it leads to this site, else "/": nobody is sent elsewhere
// by a link to our sign-in.
func localPath(path string) string {
	parsed, err := url.Parse(path)
	switch {
	case err != nil, parsed.Scheme != "", parsed.Host != "", parsed.User != nil:
		return "/"
	case !strings.HasPrefix(path, "/"), strings.HasPrefix(path, "//"), len(path) > 1024:
		return "/"
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }):
		return "/"
	}
	return path
}
