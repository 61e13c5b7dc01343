package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/client"
)

// TestSignInWithGitHub walks a browser through GitHub's pages and back.
func TestSignInWithGitHub(t *testing.T) {
	g := gateway(t)
	browser := client.New(g.URL)
	page := browse(t, browser, http.MethodGet, g.URL+"/auth/github", nil)
	if page.Host != hostOf(t, house.GitHub) {
		t.Fatalf("signing in leads to %s, not to GitHub", page)
	}
	form := page.Query()
	form.Set("login", "Octo-Cat")
	if back := browse(t, browser, http.MethodPost, house.GitHub+"/login/oauth/authorize", form); back.Host != hostOf(t, g.URL) {
		t.Fatalf("GitHub leads to %s, not back to %s", back, g.URL)
	}
	var data struct{ Viewer struct{ Login string } }
	if err := browser.Do(within(t, patience), client.Request{Query: `{ viewer { login } }`}, &data); err != nil {
		t.Fatal(err)
	}
	if data.Viewer.Login != "octo-cat" {
		t.Errorf("signed in as %q: logins are kept in lower case", data.Viewer.Login)
	}
	customers, err := house.Stripe.Customers(within(t, patience), "octo-cat")
	if err != nil || len(customers) != 1 {
		t.Errorf("Stripe has the customers %v (%v), want one", customers, err)
	}
}

// TestSessionAnywhere holds that a session begun at one replica is good at another: nothing is kept on the server.
func TestSessionAnywhere(t *testing.T) {
	first, second := gateway(t), gateway(t)
	ada := signIn(t, first.URL, "ada")
	var data struct{ Viewer struct{ Login string } }
	err := ada.At(second.URL).Do(within(t, patience), client.Request{Query: `{ viewer { login } }`}, &data)
	if err != nil || data.Viewer.Login != ada.login {
		t.Errorf("the second replica sees %q (%v), want %q", data.Viewer.Login, err, ada.login)
	}
}

// browse follows redirects, as a browser does, and returns where they end.
func browse(t *testing.T, browser *client.Client, method, address string, form url.Values) *url.URL {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t, patience), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := browser.HTTP.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s: %s", method, response.Request.URL, response.Status, text)
	}
	return response.Request.URL
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}
