// Package authtest is a stand-in GitHub for tests and development: the pages and
// endpoints of the OAuth web application flow with PKCE, and the user API under
// /api/v3 as GitHub Enterprise has it. It checks what GitHub checks.
package authtest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// codeTTL is how long a code may be traded: GitHub's ten minutes.
const codeTTL = 10 * time.Minute

// User is somebody with an account at the stand-in.
type User struct {
	Login string
	// ID is GitHub's number of the user; 0 makes one of the login.
	ID int64
	// Email is the primary verified address.
	Email string
	// Private keeps the address off the user's profile, as most people do.
	Private bool
}

// Options say what the stand-in knows.
type Options struct {
	// ClientID and ClientSecret are the one OAuth app's.
	ClientID, ClientSecret string
	// Callback is the app's callback URL; empty allows every one on loopback.
	Callback string
	// Users are shown on the sign-in page. Any other login may be typed in.
	Users []User
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// GitHub is the stand-in, an http.Handler.
type GitHub struct {
	options Options
	mux     *http.ServeMux

	mu     sync.Mutex
	codes  map[string]grant
	tokens map[string]User
}

// grant is what a code stands for.
type grant struct {
	user      User
	redirect  string
	challenge string
	issued    time.Time
}

// New makes a stand-in.
func New(o Options) *GitHub {
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &GitHub{options: o, mux: http.NewServeMux(), codes: map[string]grant{}, tokens: map[string]User{}}
	g.mux.HandleFunc("GET /{$}", g.home)
	g.mux.HandleFunc("GET /login/oauth/authorize", g.authorizePage)
	g.mux.HandleFunc("POST /login/oauth/authorize", g.authorize)
	g.mux.HandleFunc("POST /login/oauth/access_token", g.accessToken)
	g.mux.HandleFunc("GET /api/v3/user", g.user)
	g.mux.HandleFunc("GET /api/v3/user/emails", g.emails)
	return g
}

// ServeHTTP serves the pages and the API.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// authorize is the page's form: it sends the browser back with a code.
func (g *GitHub) authorize(w http.ResponseWriter, r *http.Request) {
	ask, problem := g.check(r)
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {ask.state}}
	if r.PostFormValue("deny") != "" {
		answer.Set("error", "access_denied")
	} else {
		user, ok := g.find(r.PostFormValue("login"))
		if !ok {
			http.Error(w, "type a login", http.StatusBadRequest)
			return
		}
		code := rand.Text()
		g.mu.Lock()
		g.codes[code] = grant{user: user, redirect: ask.redirect, challenge: ask.challenge, issued: g.options.Now()}
		g.mu.Unlock()
		answer.Set("code", code)
	}
	separator := "?"
	if strings.Contains(ask.redirect, "?") {
		separator = "&"
	}
	http.Redirect(w, r, ask.redirect+separator+answer.Encode(), http.StatusFound)
}

// accessToken trades a code for a token, once. GitHub answers failures with 200.
func (g *GitHub) accessToken(w http.ResponseWriter, r *http.Request) {
	token, problem := g.trade(r)
	if problem != "" {
		answerJSON(w, http.StatusOK, map[string]string{"error": problem, "error_description": strings.ReplaceAll(problem, "_", " ")})
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"})
}

func (g *GitHub) trade(r *http.Request) (token, problem string) {
	id, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if !same(id, g.options.ClientID) || !same(secret, g.options.ClientSecret) {
		return "", "incorrect_client_credentials"
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	code := r.PostFormValue("code")
	granted, known := g.codes[code]
	delete(g.codes, code)
	if !known || g.options.Now().Sub(granted.issued) > codeTTL {
		return "", "bad_verification_code"
	}
	if redirect := r.PostFormValue("redirect_uri"); redirect != granted.redirect {
		return "", "redirect_uri_mismatch"
	}
	if granted.challenge != "" {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !same(base64.RawURLEncoding.EncodeToString(sum[:]), granted.challenge) {
			return "", "bad_verification_code"
		}
	}
	token = "gho_" + rand.Text()
	g.tokens[token] = granted.user
	return token, ""
}

// bearer is whose token the request carries.
func (g *GitHub) bearer(w http.ResponseWriter, r *http.Request) (User, bool) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g.mu.Lock()
	user, ok := g.tokens[token]
	g.mu.Unlock()
	if !ok {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
	}
	return user, ok
}

func (g *GitHub) user(w http.ResponseWriter, r *http.Request) {
	user, ok := g.bearer(w, r)
	if !ok {
		return
	}
	var email any // null, as GitHub's
	if !user.Private && user.Email != "" {
		email = user.Email
	}
	answerJSON(w, http.StatusOK, map[string]any{"login": user.Login, "id": user.ID, "type": "User", "email": email})
}

func (g *GitHub) emails(w http.ResponseWriter, r *http.Request) {
	user, ok := g.bearer(w, r)
	if !ok {
		return
	}
	emails := []map[string]any{{"email": "old-" + user.Email, "primary": false, "verified": true}}
	if user.Email != "" {
		emails = append(emails, map[string]any{"email": user.Email, "primary": true, "verified": true})
	}
	answerJSON(w, http.StatusOK, emails)
}

// find is a known user, or one made of the login.
func (g *GitHub) find(login string) (User, bool) {
	login = strings.TrimSpace(login)
	if login == "" {
		return User{}, false
	}
	found := User{Login: login, Email: strings.ToLower(login) + "@users.noreply.github.test"}
	for _, user := range g.options.Users {
		if strings.EqualFold(user.Login, login) {
			found = user
		}
	}
	if found.ID == 0 {
		sum := sha256.Sum256([]byte(strings.ToLower(found.Login)))
		found.ID = int64(binary.BigEndian.Uint32(sum[:4])) + 1
	}
	return found, true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func answerJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that is gone needs no answer
}
