package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// visitor is somebody in a browser, who fails the test when a step does not come about.
type visitor struct {
	*browser.Page
	t     *testing.T
	url   string // of the gateway
	phone bool   // whether the window is a phone's when nothing else is asked for
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

// checkQuiet holds that the pages worked without a complaint, and asked nobody but their gateway.
func (v *visitor) checkQuiet() {
	v.t.Helper()
	for _, complaint := range v.Complaints() {
		v.t.Errorf("the browser complains: %s", complaint)
	}
	host := strings.TrimPrefix(v.url, "http://")
	for _, request := range v.Requests() {
		own := func(scheme string) bool { return strings.HasPrefix(request, scheme) }
		if !slices.ContainsFunc([]string{"http://" + host + "/", "ws://" + host + "/", "data:", "blob:"}, own) {
			v.t.Errorf("the page asks %s, which is not its gateway", request)
		}
	}
}

// checkWitness is checkQuiet, and holds that what moves came by a WebSocket, and that the pages were loaded no more often
// than asked for: the path's page that many times.
func (v *visitor) checkWitness(path string, times int) {
	v.t.Helper()
	v.checkQuiet()
	requests := v.Requests()
	if !slices.Contains(requests, strings.Replace(v.url, "http://", "ws://", 1)+"/graphql") {
		v.t.Errorf("no WebSocket was opened: %q", requests)
	}
	loads := 0
	for _, request := range requests {
		if request == v.url+path {
			loads++
		}
	}
	if loads != times {
		v.t.Errorf("%s was loaded %d times, want %d", path, loads, times)
	}
}
