package main

import (
	"flag"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/github"
	"drydock.dev/drydock/settings"
	"drydock.dev/drydock/transport"
)

// gitHubTime bounds a request to GitHub.
const gitHubTime = 10 * time.Second

// gitHubOwner is the name of a user or an organization.
var gitHubOwner = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// gitHubConfig says at which GitHub builds are shown at their commits, and by whose word.
type gitHubConfig struct {
	url, token string
	// owners are there after validate; see controller.Options.GitHubOwners.
	owners []string

	listed string
}

func (g *gitHubConfig) bind(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&g.url, "github-url", "https://github.com", "")
	set.StringVar(&g.token, "github-token", "", "")
	set.StringVar(&g.listed, "github-owners", "", "")
	return []settings.Setting{
		{Flag: "github-url", Env: "GITHUB_URL", Help: "GitHub, or a GitHub Enterprise server"},
		{Flag: "github-token", Env: "DRYDOCK_GITHUB_TOKEN", Secret: true, Help: "a token that may write commit statuses: builds of GitHub's repositories are shown at their commits; default: they are not"},
		{Flag: "github-owners", Env: "DRYDOCK_GITHUB_OWNERS", Help: "users and organizations of GitHub in whose repositories the builds of every account may be shown, separated by commas, * for all; default: an account's builds in its own user's alone"},
	}
}

func (g *gitHubConfig) validate() error {
	if !isURL(g.url) {
		return settings.Wrong("github-url", "is not a URL such as https://github.com: %q", g.url)
	}
	for one := range strings.SplitSeq(g.listed, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if one != "*" && !gitHubOwner.MatchString(one) {
			return settings.Wrong("github-owners", "holds what is no user or organization of GitHub: %q", one)
		}
		g.owners = append(g.owners, one)
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
