package web

import "strings"

// SignIn says which ways to sign in the pages offer.
type SignIn struct {
	Dev    bool // any login, no password: POST /auth/dev
	GitHub bool // GET /auth/github
}

// ways lists them as graphiql/src/session.ts reads them from the page.
func (s SignIn) ways() string {
	var all []string
	if s.Dev {
		all = append(all, "dev")
	}
	if s.GitHub {
		all = append(all, "github")
	}
	return strings.Join(all, " ")
}
