package resolvers_test

import (
	"fmt"
	"testing"
)

// TestDashboardRequests counts what the reference query asks of Stripe and of
// Kubernetes, with 20 images of one owner.
func TestDashboardRequests(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	for i := range 20 {
		h.furnish(ada, fmt.Sprintf("image-%02d", i))
	}
	cold := h.afresh()
	var data struct {
		Viewer struct {
			Images struct {
				TotalCount int
				Edges      []struct {
					Node struct {
						Owner       struct{ Login string }
						LatestBuild *struct{ Number int }
						Builds      struct{ Edges []any }
					}
				}
			}
			Plan, Usage map[string]any
		}
	}
	cases := []struct {
		reason string
		most   int
	}{
		{"cold: the customer with its subscription, and what the meter says", 3},
		{"warm: nothing", 0},
	}
	for _, c := range cases {
		cold.measure(c.reason, c.most, func() { cold.as(ada).must(dashboard(t), nil, &data) })
	}
	if len(data.Viewer.Images.Edges) != 20 || data.Viewer.Plan == nil || data.Viewer.Usage == nil {
		t.Fatalf("not the whole dashboard: %+v", data)
	}
	for _, edge := range data.Viewer.Images.Edges {
		if edge.Node.Owner.Login != ada || edge.Node.LatestBuild == nil || len(edge.Node.Builds.Edges) != 1 {
			t.Errorf("an image of the dashboard: %+v", edge.Node)
		}
	}
}

// TestAdministratorsViewRequests counts the same for 20 owners: at most one Stripe
// request for each owner that is not known yet, never one for each field.
func TestAdministratorsViewRequests(t *testing.T) {
	const owners = 20
	h := newHouse(t)
	root := h.signUpAdmin("root")
	const account = ` { login images(first: 20) { edges { node {
		name owner { login email } latestBuild { number } builds(first: 3) { edges { node { phase image { owner { login } } } } }
	} } } }`
	one := "{"
	for i := range owners - 1 {
		login := h.signUp(fmt.Sprintf("owner-%02d", i))
		h.furnish(login, "one")
		h.furnish(login, "two")
		one += fmt.Sprintf(" a%d: account(login: %q)", i, login) + account
	}
	one += " }"
	const view = `{ accounts(first: 20) { edges { node` + account + ` } } }`
	cold := h.afresh()
	var data struct {
		Accounts struct {
			Edges []struct {
				Node struct {
					Login  string
					Images struct {
						Edges []struct {
							Node struct{ Owner struct{ Login string } }
						}
					}
				}
			}
		}
	}
	cases := []struct {
		reason string
		most   int
	}{
		{"cold: the viewer, the list, and at most the owners", 2 + owners},
		{"warm: the list, which no cache holds", 1},
	}
	for _, c := range cases {
		cold.measure(c.reason, c.most, func() { cold.as(root).must(view, nil, &data) })
	}
	colder := h.afresh()
	colder.measure("cold, one by one: the viewer and the owners", owners, func() { colder.as(root).must(one, nil, nil) })
	colder.measure("warm, one by one: nothing", 0, func() { colder.as(root).must(one, nil, nil) })
	if len(data.Accounts.Edges) != owners {
		t.Errorf("%d accounts, want %d", len(data.Accounts.Edges), owners)
	}
	for _, account := range data.Accounts.Edges {
		for _, image := range account.Node.Images.Edges {
			if image.Node.Owner.Login != account.Node.Login {
				t.Errorf("an image of %s says it is %s's", account.Node.Login, image.Node.Owner.Login)
			}
		}
	}
}
