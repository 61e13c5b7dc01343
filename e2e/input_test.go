package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/client"
)

// internal is what no user should read: names of our parts, of our upstreams' machinery, of Go's.
var internal = regexp.MustCompile(`(?i)goroutine|panic|runtime error|\.go:\d|nil pointer|resourceVersion|sigs\.k8s|apiserver|` +
	`drydock\.dev/v1|admission|json: |strconv|unmarshal|unexpected EOF|127\.0\.0\.1|sk_test|context canceled`)

// TestBadInput sends what people and machines send by mistake, over HTTP: the answer is a code and a sentence that
// says what to do, never an internal text, never a 500.
func TestBadInput(t *testing.T) {
	g := gateway(t)
	ada := signIn(t, g.URL, "ada")
	image := ada.createImage("hello", house.Git+"/any.git")
	for _, c := range badOperations(image) {
		t.Run(c.reason, func(t *testing.T) {
			body, err := json.Marshal(client.Request{Query: c.query, Variables: c.variables})
			if err != nil {
				t.Fatal(err)
			}
			response, err := ada.Send(within(t, patience), http.MethodPost, "/graphql", "application/json", body)
			if err != nil {
				t.Fatal(err)
			}
			checkRefused(t, response, c.code, 0)
		})
	}
	if names := ada.imageNames(); strings.Join(names, " ") != "hello" {
		t.Errorf("the account has the images %v: what was refused has changed something", names)
	}
}

func (a *actor) imageNames() []string {
	a.t.Helper()
	var data struct {
		Viewer struct {
			Images struct {
				Edges []struct{ Node struct{ Name string } }
			}
		}
	}
	a.do(`{ viewer { images { edges { node { name } } } } }`, nil, &data)
	var names []string
	for _, edge := range data.Viewer.Images.Edges {
		names = append(names, edge.Node.Name)
	}
	return names
}

// checkRefused holds that a response tells the code and says something for people. Status 0 is any below 500.
func checkRefused(t *testing.T, response *client.Response, code string, status int) {
	t.Helper()
	if status == 0 && response.Status >= http.StatusInternalServerError || status != 0 && response.Status != status {
		t.Errorf("status %d, want %d", response.Status, status)
	}
	if internal.Match(response.Body) {
		t.Errorf("an internal text: %s", response.Body)
	}
	var body struct{ Errors client.Errors }
	if err := json.Unmarshal(response.Body, &body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("no GraphQL errors: %.300s", response.Body)
	}
	for _, each := range body.Errors {
		if each.Extensions.Code != code || len(each.Message) < 10 {
			t.Errorf("%s: %q, want %s and a sentence", each.Extensions.Code, each.Message, code)
		}
	}
}

// badOperation is an operation that must be refused with a code.
type badOperation struct {
	reason    string
	query     string
	variables map[string]any
	code      string
}

const create = `mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`

// with is a legal image but for some fields.
func with(fields map[string]any) map[string]any {
	in := map[string]any{
		"name": "other", "source": map[string]any{"repository": "https://git.example/a.git"}, "destination": "registry.example/a/b",
	}
	for name, value := range fields {
		in[name] = value
	}
	return map[string]any{"in": in}
}

func source(field, value string) map[string]any {
	s := map[string]any{"repository": "https://git.example/a.git"}
	s[field] = value
	return with(map[string]any{"source": s})
}

func badOperations(image string) []badOperation {
	const bad = "BAD_USER_INPUT"
	id := func(id string) map[string]any { return map[string]any{"id": id} }
	return []badOperation{
		{"a name in upper case", create, with(map[string]any{"name": "Hello"}), bad},
		{"an empty name", create, with(map[string]any{"name": ""}), bad},
		{"a name over a DNS label's length", create, with(map[string]any{"name": strings.Repeat("a", 64)}), bad},
		{"a name with a path", create, with(map[string]any{"name": "../etc"}), bad},
		{"a name that is taken", create, with(map[string]any{"name": "hello"}), "ALREADY_EXISTS"},
		{"a repository that git would run", create, source("repository", "ext::sh -c true"), bad},
		{"a repository with an option", create, source("repository", "--upload-pack=true"), bad},
		{"a local repository", create, source("repository", "file:///etc"), bad},
		{"a repository with a password", create, source("repository", "https://me:secret@git.example/a.git"), bad},
		{"a ref with an option", create, source("ref", "--help"), bad},
		{"a ref that git refuses", create, source("ref", "a..b"), bad},
		{"a context outside the repository", create, source("context", "../.."), bad},
		{"a Dockerfile outside the context", create, source("dockerfile", "../../etc/passwd"), bad},
		{"a destination with a scheme", create, with(map[string]any{"destination": "https://registry.example/a"}), bad},
		{"a destination with a tag", create, with(map[string]any{"destination": "registry.example/a:latest"}), bad},
		{"no tags", create, with(map[string]any{"tags": []string{}}), bad},
		{"a tag with a space", create, with(map[string]any{"tags": []string{"a b"}}), bad},
		{"an unknown template", create, with(map[string]any{"tags": []string{"{{.Password}}"}}), bad},
		{"a template that runs code", create, with(map[string]any{"tags": []string{"{{printf `%s` .}}"}}), bad},
		{"a build argument that is no name", create, with(map[string]any{"buildArgs": []any{map[string]any{"key": "A=B", "value": ""}}}), bad},
		{"a build argument twice", create, with(map[string]any{"buildArgs": []any{
			map[string]any{"key": "A", "value": "1"}, map[string]any{"key": "A", "value": "2"}}}), bad},
		{"a platform that is none", create, with(map[string]any{"platforms": []string{"Linux"}}), bad},
		{"a negative timeout", create, with(map[string]any{"timeoutSeconds": -1}), bad},
		{"an id of nothing", `query($id: ID!) { node(id: $id) { id } }`, id("bm9uc2Vuc2U"), bad},
		{"an id that is not base64", `query($id: ID!) { build(id: $id) { id } }`, id("%%%"), bad},
		{"an image's id for a build", `query($id: ID!) { build(id: $id) { id } }`, id(image), bad},
		{"a build of an id of nothing", `mutation($id: ID!) { startBuild(input: {image: $id}) { build { id } } }`, id("!"), bad},
		{"a ref that is an option", `mutation($id: ID!) { startBuild(input: {image: $id, ref: "-x"}) { build { id } } }`, id(image), bad},
		{"no page", `{ viewer { images(first: 0) { totalCount } } }`, nil, bad},
		{"a page too large", `{ viewer { images(first: 1000000) { totalCount } } }`, nil, bad},
		{"a cursor of nothing", `{ viewer { images(first: 1, after: "nonsense") { totalCount } } }`, nil, bad},
		{"another's account", `{ account(login: "grace") { login } }`, nil, "FORBIDDEN"},
	}
}

// TestBadRequests sends HTTP that is wrong before GraphQL is.
func TestBadRequests(t *testing.T) {
	g := gateway(t)
	ada := signIn(t, g.URL, "ada")
	deep := "{ viewer {" + strings.Repeat(" images(first: 1) { edges { node { owner {", 10) + " id " + strings.Repeat("} } } }", 10) + "} }"
	query := func(text string) string {
		body, _ := json.Marshal(client.Request{Query: text}) // a struct of strings
		return string(body)
	}
	for _, c := range []struct {
		reason      string
		method      string
		contentType string
		body        string
		status      int
	}{
		{"a body that is not JSON", http.MethodPost, "application/json", "{", http.StatusBadRequest},
		{"a body without a query", http.MethodPost, "application/json", "{}", 0},
		{"another content type: the cross-site kind", http.MethodPost, "text/plain", query("{ viewer { id } }"), http.StatusUnsupportedMediaType},
		{"a body too large", http.MethodPost, "application/json", query("{ viewer { id } } #" + strings.Repeat("x", 8<<20)), http.StatusRequestEntityTooLarge},
		{"a query that does not parse", http.MethodPost, "application/json", query("{ viewer {"), 0},
		{"a field that there is not", http.MethodPost, "application/json", query("{ viewer { password } }"), 0},
		{"a variable that is missing", http.MethodPost, "application/json", query("query($id: ID!) { node(id: $id) { id } }"), 0},
		{"a query too deep", http.MethodPost, "application/json", query(deep), 0},
		{"a query too wide", http.MethodPost, "application/json", query("{ viewer {" + strings.Repeat(wide, 100) + "} }"), 0},
		{"a method that there is not", http.MethodPut, "application/json", query("{ viewer { id } }"), http.StatusMethodNotAllowed},
	} {
		t.Run(c.reason, func(t *testing.T) {
			response, err := ada.Send(within(t, patience), c.method, "/graphql", c.contentType, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			checkStatus(t, response, c.status)
		})
	}
}

const wide = `x: images(first: 100) { edges { node { builds(first: 100) { edges { node { image { name } } } } } } } `

// checkStatus holds that a response is a refusal for people, whatever its code.
func checkStatus(t *testing.T, response *client.Response, status int) {
	t.Helper()
	var body struct{ Errors client.Errors }
	if err := json.Unmarshal(response.Body, &body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("status %d, no GraphQL errors: %.300s", response.Status, response.Body)
	}
	checkRefused(t, response, body.Errors[0].Extensions.Code, status)
	if code := body.Errors[0].Extensions.Code; code == "" || code == "INTERNAL" {
		t.Errorf("code %q", code)
	}
}

// TestSignedOut holds that without a session there is nothing to see or change but the public plans.
func TestSignedOut(t *testing.T) {
	nobody := client.New(gateway(t).URL)
	var data struct {
		Viewer *struct{ Login string }
		Plans  []struct{ Name string }
	}
	if err := nobody.Do(within(t, patience), client.Request{Query: `{ viewer { login } plans { name } }`}, &data); err != nil {
		t.Fatal(err)
	}
	if data.Viewer != nil || len(data.Plans) == 0 {
		t.Errorf("signed out one sees %+v", data)
	}
	for _, query := range []string{
		`{ image(name: "hello") { id } }`,
		`{ accounts { edges { cursor } } }`,
		`mutation { createImage(input: {name: "a", source: {repository: "https://git.example/a"}, destination: "registry.example/a"}) { image { id } } }`,
	} {
		body, err := json.Marshal(client.Request{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		response, err := nobody.Send(within(t, patience), http.MethodPost, "/graphql", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		checkRefused(t, response, "UNAUTHENTICATED", 0)
	}
}
