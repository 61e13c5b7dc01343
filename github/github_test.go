package github_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/github"
)

// TestSetStatus: what GitHub's answers mean.
func TestSetStatus(t *testing.T) {
	cases := []struct {
		reason  string
		status  int
		header  http.Header
		refused bool
		busy    time.Duration
	}{
		{"it is taken", 201, nil, false, 0},
		{"the token is no more", 401, nil, true, 0},
		{"the token may not", 403, nil, true, 0},
		{"nor know of the repository", 404, nil, true, 0},
		{"there is no such commit", 422, nil, true, 0},
		{"too many requests", 429, http.Header{"Retry-After": {"7"}}, false, 7 * time.Second},
		{"too many requests, in other words", 403, http.Header{"X-Ratelimit-Remaining": {"0"}}, false, time.Minute},
		{"too many requests for a day", 429, http.Header{"Retry-After": {"86400"}}, false, time.Hour},
		{"a failure of GitHub's", 502, nil, false, 0},
	}
	for _, c := range cases {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range c.header {
				w.Header()[name] = values
			}
			w.WriteHeader(c.status)
		}))
		client, err := github.New(server.URL, "token-of-no-secret", server.Client())
		if err != nil {
			t.Fatal(err)
		}
		err = client.SetStatus(t.Context(), "ada/app", strings.Repeat("a", 40), github.Status{State: github.Success, Context: "drydock/app"})
		var refused *github.RefusedError
		var busy *github.BusyError
		errors.As(err, &busy)
		switch {
		case (err == nil) != (c.status == 201), errors.As(err, &refused) != c.refused, (busy != nil) != (c.busy > 0), busy != nil && busy.Wait != c.busy:
			t.Errorf("%s: %v", c.reason, err)
		case err != nil && strings.Contains(err.Error(), "token-of-no-secret"):
			t.Errorf("%s: the token is told: %v", c.reason, err)
		}
		server.Close()
	}
}

// TestAPIURL: where the API is.
func TestAPIURL(t *testing.T) {
	for base, want := range map[string]string{
		"https://github.com": "https://api.github.com", "https://GitHub.com/": "https://api.github.com",
		"https://git.example.com/": "https://git.example.com/api/v3", "http://127.0.0.1:1": "http://127.0.0.1:1/api/v3",
	} {
		if got := github.APIURL(base); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}
