package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// patience is how long a test waits for anything to come about, builds included.
const patience = 2 * time.Minute

// within is a context for one test's waiting.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// gateway starts a replica that lives as long as the test.
func gateway(t *testing.T, flags ...string) *stack.Gateway {
	t.Helper()
	g, err := house.Gateway(within(t, patience), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, g.Process) })
	return g
}

// controller starts a controller that lives as long as the test.
func controller(t *testing.T, flags ...string) *stack.Process {
	t.Helper()
	c, err := house.Controller(within(t, patience), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, c) })
	return c
}

func end(t *testing.T, p *stack.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
}

var logins atomic.Int64

// actor is somebody signed in, who fails the test when a request of theirs fails.
type actor struct {
	*client.Client
	t     *testing.T
	login string
}

// signIn signs a newcomer in.
func signIn(t *testing.T, url, name string) *actor {
	t.Helper()
	a := &actor{Client: client.New(url), t: t, login: fmt.Sprintf("%s-%d", name, logins.Add(1))}
	if err := a.SignIn(within(t, patience), a.login); err != nil {
		t.Fatal(err)
	}
	return a
}

// subscriber is somebody with an account on a paid plan. The session is good at any gateway; those that run already
// may have cached the account as it was before.
func subscriber(t *testing.T, name, plan string) *actor {
	t.Helper()
	g := gateway(t)
	a := signIn(t, g.URL, name)
	if err := house.Stripe.Subscribe(within(t, patience), a.login, plan); err != nil {
		t.Fatal(err)
	}
	end(t, g.Process)
	return a
}

// moveTo makes the actor ask another gateway from now on.
func (a *actor) moveTo(g *stack.Gateway) { a.Client = a.At(g.URL) }

// do runs an operation.
func (a *actor) do(query string, variables map[string]any, data any) {
	a.t.Helper()
	if err := a.Do(within(a.t, patience), client.Request{Query: query, Variables: variables}, data); err != nil {
		a.t.Fatalf("%s: %v", strings.SplitN(query, "\n", 2)[0], err)
	}
}

// createImage makes an image definition of a repository and returns its id.
func (a *actor) createImage(name, repository string, args ...map[string]any) string {
	a.t.Helper()
	if args == nil {
		args = []map[string]any{}
	}
	var data struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	a.do(`mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`, map[string]any{"in": map[string]any{
		"name": name, "source": map[string]any{"repository": repository}, "buildArgs": args,
		"destination": house.Registry + "/" + a.login + "/" + name, "tags": []string{"latest", "b{{.Number}}"},
	}}, &data)
	return data.CreateImage.Image.ID
}

// build is a Build as GraphQL shows it.
type build struct {
	ID              string
	Number          int
	Phase           string
	Reason          *string
	Message         *string
	Digest          *string
	DurationSeconds *int64
	BilledSeconds   *int64
}

// buildFields asks for all of build.
const buildFields = `id number phase reason message digest durationSeconds billedSeconds`

func (b build) done() bool {
	return b.Phase == "SUCCEEDED" || b.Phase == "FAILED" || b.Phase == "CANCELLED"
}

func (b build) String() string {
	text := fmt.Sprintf("build %d is %s", b.Number, b.Phase)
	for _, detail := range []*string{b.Reason, b.Message} {
		if detail != nil {
			text += " " + *detail
		}
	}
	return text
}

// startBuild starts a build of an image.
func (a *actor) startBuild(image string) build {
	a.t.Helper()
	var data struct{ StartBuild struct{ Build build } }
	a.do(`mutation($image: ID!) { startBuild(input: {image: $image}) { build { `+buildFields+` } } }`,
		map[string]any{"image": image}, &data)
	return data.StartBuild.Build
}

// builds are the newest hundred of the actor's.
func (a *actor) builds(ctx context.Context) ([]build, error) {
	var data struct {
		Viewer struct {
			Builds struct{ Edges []struct{ Node build } }
		}
	}
	query := `{ viewer { builds(first: 100) { edges { node { ` + buildFields + ` } } } } }`
	if err := a.Do(ctx, client.Request{Query: query}, &data); err != nil {
		return nil, err
	}
	var builds []build
	for _, edge := range data.Viewer.Builds.Edges {
		builds = append(builds, edge.Node)
	}
	return builds, nil
}

// eventually waits until there is no error.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	if err := stack.Until(within(t, patience), ask); err != nil {
		t.Fatal(err)
	}
}
