package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestAppImages finds images among more than one page of them: by name, by how their latest build is, in each order. What was
// asked for is in the address, which the back button and a link bring back.
func TestAppImages(t *testing.T) {
	const count, page = 30, 25
	frances := subscriber(t, "frances", "Scale") // the free plan has no more images than a page
	g := gateway(t)
	controller(t)
	frances.moveTo(g)
	ids := map[string]string{}
	var names []string
	for n := range count {
		name := fmt.Sprintf("app-%02d", n)
		names = append(names, name)
		ids[name] = frances.createImage(name, house.Git+"/none.git")
	}
	v := visit(t, g.URL)
	v.signInAt("/?sort=name", frances.login)
	v.see("how many there are", "main", "30 images")
	v.checkRows("by name", names[:page])
	v.do("show more", browser.Press("Show more"), browser.Holds(`document.querySelectorAll("main li").length === 30`))
	v.checkRows("by name", names)

	v.do("search", browser.Fill("Search by name", "app-1"), browser.Shows("main", "10 images"))
	for _, name := range []string{"app-12", "app-15"} {
		frances.startBuild(ids[name])
	}
	v.see("a build that began elsewhere fail", "main li:nth-child(3)", "Failed")
	v.see("another one", "main li:nth-child(6)", "Failed")
	v.do("look at the states, by the keyboard", browser.Click(`input[aria-label="Search by name"]`), browser.TabTo("Status of the latest build"),
		browser.Enter(), browser.Shows("[role=option]", "Cancelled"))
	v.evaluate(`new Promise(done => setTimeout(() => done(""), 0))`) // the list finds out by such a timer which option is chosen
	v.do("want those that failed", browser.Key("ArrowUp"), browser.Key("ArrowUp"),
		browser.Shows("[role=option][data-combobox-selected]", "Failed"), browser.Enter(), browser.Shows("main", "2 images"))
	v.checkRows("by name, status and name", []string{"app-12", "app-15"})

	v.do("go to one, and back", browser.Press("app-12"), browser.Shows("h1", "app-12"), browser.Back(), browser.Shows("main", "2 images"))
	v.checkAsked("app-1", "Failed", "By name")
	v.do("open the same address", browser.Open(v.location()), browser.Shows("main", "2 images"))
	v.checkAsked("app-1", "Failed", "By name")

	v.do("search what there is not", browser.Fill("Search by name", "zzz"), browser.Shows("main", "No image matches"))
	v.do("see all again", browser.Press("Show all images"), browser.Shows("main", "30 images"))
	v.checkAsked("", "", "Latest build first")
	v.checkRows("those built last first", frances.imagesBy("LATEST_BUILD_AT", page))
	v.do("want the newest", browser.Click(`input[aria-label="Order"]`), browser.Click(`[role=option][value=created]`), browser.Holds(`location.search === "?sort=created"`))
	v.checkRows("the newest first", frances.imagesBy("CREATED_AT", page))
	v.checkLoads("/?sort=name", "/?sort=name", "/?sort=name&q=app-1&phase=FAILED")
	v.checkQuiet()
}

// checkRows waits until the list shows these images.
func (v *visitor) checkRows(order string, names []string) {
	v.t.Helper()
	eventually(v.t, func() error {
		var got []string
		text := v.evaluate(`JSON.stringify([...document.querySelectorAll("main li a[href^='/images/']")].map(each => each.textContent))`)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			return err
		}
		if !slices.Equal(got, names) {
			return fmt.Errorf("%s, the list shows %q, want %q", order, got, names)
		}
		return nil
	})
}

// checkAsked waits until the fields above the list say what was asked for.
func (v *visitor) checkAsked(name, phase, order string) {
	v.t.Helper()
	for field, want := range map[string]string{"Search by name": name, "Status of the latest build": phase, "Order": order} {
		v.do("see what was asked for", browser.Holds(fmt.Sprintf(`document.querySelector("input[aria-label='%s']").value === "%s"`, field, want)))
	}
}

// imagesBy are the names of the first images in an order.
func (a *actor) imagesBy(field string, first int) (names []string) {
	a.t.Helper()
	var data struct {
		Viewer struct {
			Images struct {
				Edges []struct{ Node struct{ Name string } }
			}
		}
	}
	a.do(`query($first: Int!, $field: ImageOrderField!) { viewer { images(first: $first, orderBy: {field: $field, direction: DESC}) { edges { node { name } } } } }`,
		map[string]any{"first": first, "field": field}, &data)
	for _, edge := range data.Viewer.Images.Edges {
		names = append(names, edge.Node.Name)
	}
	return names
}

// location is the page's address.
func (v *visitor) location() string {
	v.t.Helper()
	at, err := v.Location(within(v.t, patience))
	if err != nil {
		v.t.Fatal(err)
	}
	return at
}
