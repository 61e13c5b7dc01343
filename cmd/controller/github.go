package main

import (
	"flag"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/github"
	"drydock.dev/drydock/settings"
	"drydock.dev/drydock/transport"
)

// gitHubTime bounds a request to GitHub.
const gitHubTime = 10 * time.Second

// gitHubConfig says at which GitHub builds are shown at their commits, and by whose word.
type gitHubConfig struct{ url, token string }

func (g *gitHubConfig) bind(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&g.url, "github-url", "https://github.com", "")
	set.StringVar(&g.token, "github-token", "", "")
	return []settings.Setting{
		{Flag: "github-url", Env: "GITHUB_URL", Help: "GitHub, or a GitHub Enterprise server"},
		{Flag: "github-token", Env: "DRYDOCK_GITHUB_TOKEN", Secret: true, Help: "a token that may write commit statuses: builds of GitHub's repositories are shown at their commits; default: they are not"},
	}
}

func (g *gitHubConfig) validate() error {
	if !isURL(g.url) {
		return settings.Wrong("github-url", "is not a URL such as https://github.com: %q", g.url)
	}
	return nil
}

// client tells GitHub of builds; nil where nobody is to.
func (g *gitHubConfig) client(registry *prometheus.Registry) (*github.Client, error) {
	if g.token == "" {
		return nil, nil
	}
	metrics, err := transport.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	return github.New(g.url, g.token, &http.Client{Timeout: gitHubTime, Transport: transport.Stack(http.DefaultTransport, transport.Options{
		Upstream: "github", Operation: func(r *http.Request) string { return r.Method + " status" }, Timeout: gitHubTime, Metrics: metrics,
	})})
}
