package browser_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// patience is for what takes a second on a machine that has nothing else to do.
const patience = 2 * time.Minute

// within is the test's context, for as long as patience lasts.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestVisits has people visit the pages of testdata, in one browser.
func TestVisits(t *testing.T) {
	url := serve(t)
	b, err := browser.Launch(within(t), "driver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	for name, visits := range map[string]func(*testing.T, *browser.Browser, string){
		"steps": checkSteps, "steps that fail": checkFailures, "witness": checkWitness, "strangers": checkStrangers,
	} {
		t.Run(name, func(t *testing.T) { visits(t, b, url) })
	}
}

// checkStrangers holds that a visitor finds nothing of another one's.
func checkStrangers(t *testing.T, b *browser.Browser, url string) {
	for range 2 {
		page := visit(t, b, url+"/steps.html")
		before, err := page.Evaluate(within(t), `const before = (localStorage.mine ?? "") + document.cookie; localStorage.mine = document.cookie = "mine=1"; before`)
		if err != nil || before != "" {
			t.Errorf("the page knows %q of a stranger (%v)", before, err)
		}
	}
}

// visit opens a page until the test's end.
func visit(t *testing.T, b *browser.Browser, url string) *browser.Page {
	t.Helper()
	page, err := b.Visit(within(t))
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
	if err := page.Do(within(t), browser.Open(url)); err != nil {
		t.Fatal(err)
	}
	return page
}

// serve serves the files of testdata as strictly as the gateway serves its own.
func serve(t *testing.T) (url string) {
	t.Helper()
	files := http.FileServer(http.Dir("testdata"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" { // asked for by the browser itself
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
