package authtest

import (
	"html/template"
	"net"
	"net/http"
	"net/url"
)

// request is what an app asks of the authorize page.
type request struct {
	state, redirect, challenge string
}

// check reads an authorize request; problem tells what is wrong with it.
func (g *GitHub) check(r *http.Request) (ask request, problem string) {
	if !same(r.FormValue("client_id"), g.options.ClientID) {
		return ask, "there is no such OAuth app"
	}
	ask = request{state: r.FormValue("state"), redirect: r.FormValue("redirect_uri"), challenge: r.FormValue("code_challenge")}
	if !g.allows(ask.redirect) {
		return ask, "the redirect_uri is not associated with this application"
	}
	if ask.challenge != "" && r.FormValue("code_challenge_method") != "S256" {
		return ask, "code_challenge_method must be S256"
	}
	return ask, ""
}

// allows tells whether the app may send people to a redirect URL.
func (g *GitHub) allows(redirect string) bool {
	if g.options.Callback != "" {
		return redirect == g.options.Callback
	}
	parsed, err := url.Parse(redirect)
	if err != nil {
		return false
	}
	ip := net.ParseIP(parsed.Hostname())
	return parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (g *GitHub) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = homePage.Execute(w, nil)
}

func (g *GitHub) authorizePage(w http.ResponseWriter, r *http.Request) {
	if _, problem := g.check(r); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = signInPage.Execute(w, map[string]any{"Query": r.URL.Query(), "Users": g.options.Users})
}

var homePage = template.Must(template.New("home").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Stand-in GitHub</title></head>
<body><h1>Stand-in GitHub</h1><p>It signs people in to Drydock, for development. Begin at Drydock.</p></body></html>
`))

var signInPage = template.Must(template.New("sign-in").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">
<title>Sign in · Stand-in GitHub</title>
<style>body{font:16px/1.5 system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem}
button,input{font:inherit;padding:.4rem .8rem;margin:.2rem 0}fieldset{border:1px solid #8888;border-radius:.4rem}</style></head>
<body><h1>Sign in to Drydock</h1><p>A stand-in for GitHub, for development: be whoever you like.</p>
<form method="post" action="/login/oauth/authorize">
{{range $name, $values := .Query}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<fieldset><legend>Sign in as</legend>
<p><label>Login <input name="login" value="ada" autocomplete="username" autofocus></label> <button>Sign in</button></p>
</fieldset>
<p><button name="deny" value="1" formnovalidate>Refuse</button></p>
</form>
{{$query := .Query}}{{range .Users}}<form method="post" action="/login/oauth/authorize">
{{range $name, $values := $query}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<button name="login" value="{{.Login}}">{{.Login}}</button></form>
{{end}}</body></html>
`))
