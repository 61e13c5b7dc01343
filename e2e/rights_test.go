package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
)

// Every gateway and controller of the end-to-end tests runs as its service account. When all tests are through, the API
// server's audit log tells which rights were missing and which nobody used: deploy/rbac.yaml gives what is needed, no more.

// inTrouble are rights that no end-to-end test can be sure to use, and why they are needed.
var inTrouble = map[string]string{
	"drydock-controller: update configmaps":                        "a log that was kept before is kept anew, where the controller was killed in between",
	"drydock-controller: delete configmaps":                        "the ledger's pages go after 40 days",
	"drydock-controller: delete pods":                              "the pod of a build that is being ended, where its Job is gone and it is not",
	"drydock-controller: update builds/finalizers.drydock.dev":     "owning Jobs and ConfigMaps, where the API server has the plugin OwnerReferencesPermissionEnforcement",
	"drydock-controller: get jobs.batch":                           "a running build whose Job the cache does not know of",
	"drydock-controller: patch events in drydock-system":           "an event about who leads that comes again",
	"drydock-controller: get resourcequotas":                       wallsBehind,
	"drydock-controller: get limitranges":                          wallsBehind,
	"drydock-controller: get networkpolicies.networking.k8s.io":    wallsBehind,
	"drydock-controller: update resourcequotas":                    wallsDrift,
	"drydock-controller: update limitranges":                       wallsDrift,
	"drydock-controller: update networkpolicies.networking.k8s.io": wallsDrift,
}

// What an account's walls need beside being made.
const (
	wallsBehind = "a wall that is there and that the cache does not know of, because somebody took its label away"
	wallsDrift  = "a wall of a plan that changed, or that somebody changed"
)

// serviceAccount begins the names of service accounts as users.
const serviceAccount = "system:serviceaccount:"

// right is one verb on one resource.
type right struct {
	Group, Resource, Verb string // a subresource is part of Resource: pods/log
	Namespace, Name       string // empty: in any, of any
}

func (r right) String() string {
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	if r.Name != "" {
		text += " " + r.Name
	}
	if r.Namespace != "" {
		text += " in " + r.Namespace
	}
	return text
}

// marker is what gives a right, as it stands beside the code.
func (r right) marker(account string) string {
	where, group := "", r.Group
	if r.Namespace != "" {
		where = "namespace=" + r.Namespace + ","
	}
	if group == "" {
		group = `""`
	}
	return fmt.Sprintf("// +kubebuilder:rbac:roleName=%s,%sgroups=%s,resources=%s,verbs=%s", account, where, group, r.Resource, r.Verb)
}

// grant is a right that a role gives, and to whom.
type grant struct {
	right
	role  string
	users []string
}

// used tells whether a request needed the right. Who watches must be able to list, too: where the API server cannot stream
// it, before Kubernetes 1.34 or when it is busy, a watch begins with a list.
func (g grant) used(e clustertest.Event) bool {
	asked := g.asked(e)
	if g.Verb == "list" && asked.Verb == "watch" {
		asked.Verb = "list"
	}
	return !e.Forbidden && slices.Contains(g.users, e.User) && g.right == asked
}

// asked is what a request needs, as far as the grant tells apart.
func (g grant) asked(e clustertest.Event) right {
	need := needed(e)
	if g.Namespace == "" {
		need.Namespace = ""
	}
	if g.Name == "" {
		need.Name = ""
	}
	return need
}

func needed(e clustertest.Event) right {
	need := right{Group: e.Group, Resource: e.Resource, Verb: e.Verb, Namespace: e.Namespace, Name: e.Name}
	if e.Subresource != "" {
		need.Resource += "/" + e.Subresource
	}
	return need
}

// rbac is a manifest of roles and bindings: a role is known by kind, namespace and name.
type rbac struct {
	rules map[string][]rbacv1.PolicyRule
	users map[string][]string
}

func readRBAC(manifest []byte) (*rbac, error) {
	all := &rbac{rules: map[string][]rbacv1.PolicyRule{}, users: map[string][]string{}}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var object struct {
			metav1.TypeMeta
			Metadata metav1.ObjectMeta
			Rules    []rbacv1.PolicyRule
			RoleRef  rbacv1.RoleRef
			Subjects []rbacv1.Subject
		}
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		switch object.Kind {
		case "ClusterRole", "Role":
			all.rules[roleKey(object.Kind, object.Metadata.Namespace, object.Metadata.Name)] = object.Rules
		case "ClusterRoleBinding", "RoleBinding":
			key := roleKey(object.RoleRef.Kind, object.Metadata.Namespace, object.RoleRef.Name)
			for _, subject := range object.Subjects {
				all.users[key] = append(all.users[key], serviceAccount+subject.Namespace+":"+subject.Name)
			}
		}
	}
}

func roleKey(kind, namespace, name string) string {
	if kind == "ClusterRole" {
		namespace = ""
	}
	return namespace + "/" + name
}

// grants are all rights, one by one.
func (all *rbac) grants() (grants []grant) {
	for _, key := range slices.Sorted(maps.Keys(all.rules)) {
		namespace, role, _ := strings.Cut(key, "/")
		for _, rule := range all.rules[key] {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						for _, name := range append(rule.ResourceNames, make([]string, max(0, 1-len(rule.ResourceNames)))...) {
							grants = append(grants, grant{right{group, resource, verb, namespace, name}, role, all.users[key]})
						}
					}
				}
			}
		}
	}
	return grants
}

// missing are the requests that were refused for want of a right, each once.
func missing(events []clustertest.Event) (problems []string) {
	for _, e := range events {
		account := e.User[strings.LastIndex(e.User, ":")+1:]
		if !e.Forbidden || !strings.HasPrefix(account, "drydock-") {
			continue
		}
		need := needed(e)
		need.Name = ""
		if need.Namespace != "drydock-system" {
			need.Namespace = ""
		}
		problem := fmt.Sprintf("%s has no right to %s: put this above the code that asks, and run make generate:\n\t%s",
			account, need, need.marker(account))
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems
}

// unused are the rights that no request needed.
func unused(grants []grant, events []clustertest.Event, excepted map[string]string) (problems []string) {
	left := maps.Clone(excepted)
	for _, g := range grants {
		text := g.role + ": " + g.String()
		_, known := left[text]
		delete(left, text)
		if !known && !slices.ContainsFunc(events, g.used) {
			problems = append(problems, fmt.Sprintf("%s: nobody used this right: drop its marker, use it in a test of package e2e, "+
				"or say in inTrouble of e2e/rights_test.go what it is for", text))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(left)) {
		problems = append(problems, text+": inTrouble knows a right that deploy/rbac.yaml does not give")
	}
	return problems
}

// checkRights compares the rights that there are with those that were needed; unused ones only after all tests.
func checkRights(all bool) error {
	manifest, err := deploy.Files.ReadFile("rbac.yaml")
	if err != nil {
		return err
	}
	roles, err := readRBAC(manifest)
	if err != nil {
		return err
	}
	events, err := house.KubernetesRequests("")
	if err != nil {
		return err
	}
	problems := missing(events)
	if all {
		problems = append(problems, unused(roles.grants(), events, inTrouble)...)
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.New("rights:\n" + strings.Join(problems, "\n"))
}

// allTests tells whether no test was left out.
func allTests() bool {
	for _, name := range []string{"test.run", "test.skip"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// TestRights: what is missing and what is unused is found, and what to do about it is told.
func TestRights(t *testing.T) {
	const user = serviceAccount + "drydock-system:drydock-gateway"
	roles, err := readRBAC([]byte(`{kind: ClusterRole, metadata: {name: drydock-gateway}, rules: [{apiGroups: [drydock.dev], resources: [images/status], verbs: [get]}]}
---
{kind: Role, metadata: {name: local, namespace: drydock-system}, rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [one], verbs: [get]}]}
---
{kind: ClusterRoleBinding, roleRef: {kind: ClusterRole, name: drydock-gateway}, subjects: [{namespace: drydock-system, name: drydock-gateway}]}
---
{kind: RoleBinding, metadata: {namespace: drydock-system}, roleRef: {kind: Role, name: local}, subjects: [{namespace: drydock-system, name: drydock-gateway}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	status := clustertest.Event{User: user, Verb: "get", Group: "drydock.dev", Resource: "images", Subresource: "status", Namespace: "drydock-ada", Name: "x"}
	config := clustertest.Event{User: user, Verb: "get", Resource: "configmaps", Namespace: "drydock-system", Name: "one"}
	but := func(e clustertest.Event, change func(*clustertest.Event)) clustertest.Event {
		change(&e)
		return e
	}
	for _, c := range []struct {
		reason   string
		events   []clustertest.Event
		excepted map[string]string
		problems []string // parts of them, in order
	}{
		{"all of it was used", []clustertest.Event{status, config}, nil, nil},
		{"nothing was used", nil, nil, []string{"drydock-gateway: get images/status.drydock.dev: nobody", "local: get configmaps one in drydock-system: nobody"}},
		{"another one's requests do not count", []clustertest.Event{status, but(config, func(e *clustertest.Event) { e.User = "admin" })}, nil, []string{"local: "}},
		{"another object does not count", []clustertest.Event{status, but(config, func(e *clustertest.Event) { e.Name = "two" })}, nil, []string{"local: "}},
		{"another namespace does not count", []clustertest.Event{status, but(config, func(e *clustertest.Event) { e.Namespace = "default" })}, nil, []string{"local: "}},
		{"the resource is not its subresource", []clustertest.Event{but(status, func(e *clustertest.Event) { e.Subresource = "" }), config}, nil, []string{"images/status"}},
		{"one is for trouble", []clustertest.Event{status}, map[string]string{"local: get configmaps one in drydock-system": "why"}, nil},
		{"an exception is for nothing", []clustertest.Event{status, config}, map[string]string{"local: put x": "why"}, []string{"local: put x: inTrouble"}},
		{"a right is missing", []clustertest.Event{status, config, but(config, func(e *clustertest.Event) { e.Verb, e.Forbidden = "list", true })}, nil,
			[]string{`// +kubebuilder:rbac:roleName=drydock-gateway,namespace=drydock-system,groups="",resources=configmaps,verbs=list`}},
		{"a stranger's missing right is not ours", []clustertest.Event{status, config, {User: "system:anonymous", Verb: "list", Resource: "pods", Forbidden: true}}, nil, nil},
		{"one that was refused was not used", []clustertest.Event{status, but(config, func(e *clustertest.Event) { e.Forbidden = true })}, nil, []string{"has no right", "local: "}},
	} {
		problems := append(missing(c.events), unused(roles.grants(), c.events, c.excepted)...)
		matches := slices.EqualFunc(problems, c.problems, strings.Contains)
		if !matches {
			t.Errorf("%s: %q, want %q", c.reason, problems, c.problems)
		}
	}
	list := grant{right{"drydock.dev", "builds", "list", "", ""}, "drydock-gateway", []string{user}}
	for verb, want := range map[string]bool{"watch": true, "list": true, "get": false} {
		if got := list.used(clustertest.Event{User: user, Verb: verb, Group: "drydock.dev", Resource: "builds"}); got != want {
			t.Errorf("a %s uses the right to list: %v, want %v", verb, got, want)
		}
	}
}
