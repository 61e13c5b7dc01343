package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// maxForm bounds the body of a sign-in, in bytes.
const maxForm = 16 << 10

// Accounts is where a login has its account.
type Accounts interface {
	// SignUp finds the account of an identity, or creates it.
	SignUp(ctx context.Context, id model.Identity) (*model.Account, error)
}

// SignIn has the handlers of signing in and out.
type SignIn struct {
	Sessions *Sessions
	Accounts Accounts
	// GitHub may be nil: then only Dev signs in.
	GitHub *GitHub
	Log    *slog.Logger
}

// Begin sends the browser to GitHub. return_to is the local path to come back to.
func (s *SignIn) Begin(w http.ResponseWriter, r *http.Request) {
	if s.GitHub == nil {
		s.fail(w, r, fault.New(fault.NotFound, "Sign-in with GitHub is not set up here."))
		return
	}
	a := attempt{State: rand.Text(), Verifier: oauth2.GenerateVerifier(), ReturnTo: localPath(r.FormValue("return_to"))}
	if err := s.Sessions.writeAttempt(w, a); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, s.GitHub.authorizeURL(a), http.StatusFound)
}

// Callback takes GitHub's answer, signs up and signs in.
func (s *SignIn) Callback(w http.ResponseWriter, r *http.Request) {
	if s.GitHub == nil {
		s.fail(w, r, fault.New(fault.NotFound, "Sign-in with GitHub is not set up here."))
		return
	}
	query := r.URL.Query()
	a, err := s.Sessions.takeAttempt(w, r, query.Get("state"))
	if err != nil {
		s.fail(w, r, &fault.Error{Kind: fault.Unauthenticated, Message: "The sign-in took too long, or was begun in another browser: begin again.", Cause: err})
		return
	}
	if refusal := query.Get("error"); refusal != "" {
		s.fail(w, r, &fault.Error{Kind: fault.Unauthenticated, Message: "GitHub did not sign you in: begin again, and allow access.", Cause: errors.New(refusal)})
		return
	}
	id, err := s.GitHub.identify(r.Context(), query.Get("code"), a.Verifier)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if _, err := s.start(w, r, id); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, a.ReturnTo, http.StatusFound)
}

// Dev signs anybody in as the login of the body, {"login": "ada"} or a form's: for
// development only. JSON is answered by JSON, a form by a redirect to return_to.
func (s *SignIn) Dev(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	var body struct {
		Login string `json:"login"`
		Email string `json:"email"`
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isForm := media == "application/x-www-form-urlencoded"
	switch {
	case isForm:
		body.Login, body.Email = r.PostFormValue("login"), r.PostFormValue("email")
	case media != "application/json":
		s.failStatus(w, r, http.StatusUnsupportedMediaType, fault.New(fault.BadUserInput, "Send application/json or a form."))
		return
	case json.NewDecoder(r.Body).Decode(&body) != nil:
		s.fail(w, r, fault.New(fault.BadUserInput, `Send a JSON object such as {"login": "ada"}.`))
		return
	}
	id := model.Identity{Login: strings.ToLower(strings.TrimSpace(body.Login)), Email: body.Email}
	if !login.MatchString(id.Login) {
		s.fail(w, r, fault.New(fault.BadUserInput, "A login has 1 to 39 letters, digits, - and _, and begins with a letter or digit."))
		return
	}
	account, err := s.start(w, r, id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if isForm {
		http.Redirect(w, r, localPath(r.PostFormValue("return_to")), http.StatusSeeOther)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"login": account.Login, "id": account.ID()})
}

// Out signs out: 204, or for a form a redirect to the start page.
func (s *SignIn) Out(w http.ResponseWriter, r *http.Request) {
	s.Sessions.End(w)
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// start signs an identity up and begins its session.
func (s *SignIn) start(w http.ResponseWriter, r *http.Request, id model.Identity) (*model.Account, error) {
	account, err := s.Accounts.SignUp(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if err := s.Sessions.begin(w, account, id.GithubID); err != nil {
		return nil, err
	}
	s.Log.InfoContext(r.Context(), "signed in", "login", account.Login)
	return account, nil
}
