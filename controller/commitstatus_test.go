package controller_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/github"
)

const (
	gitHubToken = "ghp_token-of-no-secret"
	pushed      = "0123456789abcdef0123456789abcdef01234567"
)

// gitHub is a stand-in that takes commit statuses of the repositories of ada's.
type gitHub struct {
	*httptest.Server
	mu    sync.Mutex
	taken []string
	asked map[string]int
	busy  int // answers of a failure before it takes any
}

func newGitHub(t *testing.T) *gitHub {
	g := &gitHub{asked: map[string]int{}, busy: 1}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v3/repos/{owner}/{repository}/statuses/{sha}", func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		repository := r.PathValue("owner") + "/" + r.PathValue("repository")
		g.asked[repository]++
		var status github.Status
		err := json.NewDecoder(r.Body).Decode(&status)
		switch {
		case r.Header.Get("Authorization") != "Bearer "+gitHubToken:
			w.WriteHeader(http.StatusUnauthorized)
		case !strings.EqualFold(r.PathValue("owner"), "ada"):
			w.WriteHeader(http.StatusNotFound) // as GitHub: whether it is there is nobody's business
		case err != nil || len(status.Description) > 140 || r.PathValue("sha") != pushed:
			w.WriteHeader(http.StatusUnprocessableEntity)
		case g.busy > 0:
			g.busy--
			w.WriteHeader(http.StatusBadGateway)
		default:
			g.taken = append(g.taken, fmt.Sprintf("%s %s %s %v", repository, status.Context, status.State, strings.HasPrefix(status.TargetURL, "https://drydock.example/builds/")))
			w.WriteHeader(http.StatusCreated)
		}
	})
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) statuses() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.taken)
}

func (g *gitHub) times(repository string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[repository]
}

// TestCommitStatus: GitHub shows at a commit how its build is doing, again where it failed;
// what it refuses is said once, of the image.
func TestCommitStatus(t *testing.T) {
	w := newWorld(t)
	stand := newGitHub(t)
	host := strings.TrimPrefix(stand.URL, "http://")
	at := func(repository string) func(*v1alpha1.Image) {
		return func(image *v1alpha1.Image) {
			image.Spec.Source.Repository = repository
			image.Spec.Platforms = []string{"plan9/mips"} // builds fail at once
		}
	}
	of := func(b *v1alpha1.Build) { b.Spec.Commit = pushed }
	app, other, elsewhere := w.image("app", at(stand.URL+"/Ada/app.git")), w.image("other", at(stand.URL+"/"+w.login+"/other")), w.image("elsewhere", at("https://git.example.com/ada/app.git"))
	ssh, another := w.image("ssh", at("ssh://git@"+host+"/ada/app.git")), w.image("another", at(stand.URL+"/grace/app.git"))
	client, err := github.New(stand.URL, gitHubToken, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	w.run(func(o *controller.Options) {
		o.GitHub, o.GitHubOwners, o.PublicURL = client, []string{"ada"}, "https://drydock.example"
	})
	shown := func(state, words string) func(*v1alpha1.Build) bool {
		return func(b *v1alpha1.Build) bool {
			s := b.Status.CommitStatus
			return billed(b) && s != nil && s.State == state && strings.Contains(s.Message, words)
		}
	}
	w.await(w.build(app, 1, of), "shown", shown("failure", ""))
	w.await(w.build(ssh, 1, func(b *v1alpha1.Build) { b.Spec.Source.Ref = pushed }), "shown", shown("failure", ""))
	refused := w.await(w.build(other, 1, of), "refused", func(b *v1alpha1.Build) bool {
		return billed(b) && b.Status.CommitStatus != nil && strings.Contains(b.Status.CommitStatus.Message, "permission")
	})
	for _, unknown := range []*v1alpha1.Build{w.build(elsewhere, 1, of), w.build(app, 2), w.build(another, 1, of)} {
		if got := w.await(unknown, "billed", billed).Status.CommitStatus; got != nil {
			t.Errorf("%s: GitHub was told %+v", unknown.Name, got)
		}
	}
	var failures []string
	for _, status := range stand.statuses() {
		if !strings.Contains(status, " pending ") { // seen or not, as the controller is quick
			failures = append(failures, status)
		}
	}
	if diff := cmp.Diff([]string{"Ada/app drydock/app failure true", "ada/app drydock/ssh failure true"}, failures); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	const event = "Image other Warning CommitStatusRefused of other-1"
	w.eventually("the refusal is said", func() bool { return slices.Contains(w.events(), event) })
	if n := stand.times(w.login + "/other"); n != 1 {
		t.Errorf("GitHub was asked %d times for what it refuses: %+v", n, refused.Status.CommitStatus)
	}
	if n := stand.times("grace/app"); n != 0 {
		t.Errorf("GitHub was told %d times of a build in the repository of somebody else's", n)
	}
}
