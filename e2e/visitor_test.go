package e2e

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// visitor is somebody in a browser, who fails the test when a step does not come about.
type visitor struct {
	*browser.Page
	t    *testing.T
	url  string // of the gateway
	size size   // of the window when nothing else is asked for
}

// size is that of a window in pixels.
type size struct{ width, height int }

var laptop, phone = size{1280, 800}, size{390, 844}

// hold makes the window of a size.
func (v *visitor) hold(s size) {
	v.t.Helper()
	v.size = s
	v.resize(s)
}

func (v *visitor) resize(s size) {
	v.t.Helper()
	v.do("be of another size", browser.Size(s.width, s.height), browser.Holds(fmt.Sprintf("innerWidth === %d", s.width)))
}

// visit opens a page, of somebody who was never there, that lives as long as the test.
func visit(t *testing.T, url string) *visitor {
	t.Helper()
	b, err := chromium.get(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.Visit(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := page.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &visitor{Page: page, t: t, url: url}
}

// do does the steps of one action.
func (v *visitor) do(what string, steps ...browser.Step) {
	v.t.Helper()
	if err := v.Do(within(v.t, time.Minute), steps...); err != nil {
		shown, reading := v.Text(within(v.t, 10*time.Second))
		v.t.Fatalf("%s: %v; complaints %q; the page shows (%v):\n%s", what, err, v.Complaints(), reading, shown)
	}
}

// see waits until the page shows something.
func (v *visitor) see(what, selector, text string) {
	v.t.Helper()
	v.do("see "+what, browser.Shows(selector, text))
}

// checkQuiet holds that the pages worked without a complaint, and asked nobody but their gateway, and those elsewhere whose
// pages were gone to.
func (v *visitor) checkQuiet(elsewhere ...string) {
	v.t.Helper()
	for _, complaint := range v.Complaints() {
		v.t.Errorf("the browser complains: %s", complaint)
	}
	host := strings.TrimPrefix(v.url, "http://")
	known := append([]string{"http://" + host + "/", "ws://" + host + "/", "data:", "blob:"}, elsewhere...)
	for _, request := range v.Requests() {
		begins := func(known string) bool { return strings.HasPrefix(request, known) }
		if !slices.ContainsFunc(known, begins) {
			v.t.Errorf("the page asks %s, which is not its gateway", request)
		}
	}
}

// notPages are what pages ask of their gateway besides the pages that people go to.
var notPages = regexp.MustCompile(`^/(assets|auth|badge|graphiql/.+)/|^/graphql$|\.\w+$`)

// checkLoads holds that these pages of the gateway were loaded, in this order, and no more: what else people saw came without.
func (v *visitor) checkLoads(want ...string) {
	v.t.Helper()
	var got []string
	for _, request := range v.Requests() {
		if path, own := strings.CutPrefix(request, v.url); own && !notPages.MatchString(path) {
			got = append(got, path)
		}
	}
	if !slices.Equal(got, want) {
		v.t.Errorf("the pages %q were loaded, want %q", got, want)
	}
}

// checkWitness is checkQuiet, and holds that one page was loaded no more often than asked for, and that what moves came by a WebSocket.
func (v *visitor) checkWitness(path string, times int) {
	v.t.Helper()
	v.checkQuiet()
	v.checkLoads(slices.Repeat([]string{path}, times)...)
	if !slices.Contains(v.Requests(), strings.Replace(v.url, "http://", "ws://", 1)+"/graphql") {
		v.t.Errorf("no WebSocket was opened: %q", v.Requests())
	}
}
