package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/e2e/client"
)

// TestGraphiQL is the README's walk in a real browser, which must find nothing to complain of.
func TestGraphiQL(t *testing.T) {
	if _, err := os.Stat("../web/graphiql/dist/index.html"); err != nil {
		t.Fatalf("GraphiQL is not built: run `make web` (%v)", err)
	}
	g := gateway(t)
	controller(t)
	gate := newGate(t, "graphiql")
	grace := &actor{Client: client.New(g.URL), t: t, login: fmt.Sprintf("grace-%d", logins.Add(1))}
	e := &explorer{visit(t, g.URL)}
	e.open("dark")
	e.open("light")
	e.signIn(grace.login)
	e.readDocs()

	e.run("Viewer", "")
	e.see("who is signed in", answer, `"login": "`+grace.login+`"`)
	e.follow("dark")
	e.follow("light")
	e.run("CreateImage", variablesOf(t, grace.login, gate))
	e.see("the new image", answer, `"name": "hello"`)
	e.run("BuildChanged", "")
	e.do("see that it runs", browser.Visible(execute+`[aria-label^="Stop"]`))
	if err := grace.SignIn(within(t, patience), grace.login); err != nil {
		t.Fatal(err)
	}
	grace.startBuild(grace.onlyImage())
	e.see("the build at work", answer, `"phase": "RUNNING"`)
	gate.open()
	e.see("the build's end", answer, `"phase": "SUCCEEDED"`)
	digest, err := house.Digest(within(t, patience), grace.login+"/hello", "latest")
	if err != nil || digest == "" {
		t.Fatalf("the registry has %q (%v)", digest, err)
	}
	e.see("the digest that the registry has", answer, digest)
	e.do("stop the subscription", browser.Click(execute), browser.Visible(execute+`[aria-label^="Execute"]`))

	e.do("sign out", browser.Click(".bar button"), browser.Visible(".bar input"))
	e.run("Viewer", "")
	e.see("nobody", answer, `"viewer": null`)
	e.checkWitness("/graphiql", 2) // once for each color scheme
}

// variablesOf are those of the example CreateImage, for this house.
func variablesOf(t *testing.T, login string, gate *gate) string {
	t.Helper()
	text, err := os.ReadFile("../web/graphiql/examples/02-create-image.json")
	if err != nil {
		t.Fatal(err)
	}
	var example struct {
		Input map[string]any `json:"input"`
	}
	if err := json.Unmarshal(text, &example); err != nil {
		t.Fatal(err)
	}
	example.Input["source"] = map[string]any{"repository": gate.Repository}
	example.Input["destination"] = house.Registry + "/" + login + "/hello"
	example.Input["buildArgs"] = []any{gate.Argument}
	if text, err = json.Marshal(example); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// onlyImage is the id of the actor's one image.
func (a *actor) onlyImage() string {
	a.t.Helper()
	var data struct {
		Viewer struct {
			Images struct {
				Edges []struct{ Node struct{ ID string } }
			}
		}
	}
	a.do(`{ viewer { images(first: 2) { edges { node { id } } } } }`, nil, &data)
	if len(data.Viewer.Images.Edges) != 1 {
		a.t.Fatalf("%s has the images %+v, want one", a.login, data)
	}
	return data.Viewer.Images.Edges[0].Node.ID
}
