package browser_test

import (
	"context"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestWitness holds that nothing a page or a worker of it complains of goes unheard.
func TestWitness(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b, url := visit(ctx, t)
	if err := b.Do(ctx, browser.Open(url+"/complaints.html"), browser.Shows("p", "the page")); err != nil {
		t.Fatal(err)
	}
	socket := strings.Replace(url, "http", "ws", 1)
	for _, c := range []struct {
		told   func() []string
		want   string
		reason string
	}{
		{b.Complaints, "a warning", "the console's warnings count"},
		{b.Complaints, "an error", "the console's errors count"},
		{b.Complaints, "nobody catches this", "exceptions count"},
		{b.Complaints, "nobody waits for this", "and those of promises"},
		{b.Complaints, "Connecting to 'http://of-page.invalid/' violates", "the browser's own complaints count"},
		{b.Complaints, socket + "/socket", "a socket that is refused counts"},
		{b.Complaints, "of the worker", "workers count"},
		{b.Complaints, "nobody catches the worker's", "and their exceptions"},
		{b.Complaints, "/worker-file is answered with 404", "and what they do not get"},
		{b.Complaints, socket + "/worker-socket", "and their sockets"},
		{b.Complaints, "Connecting to 'http://of-worker.invalid/' violates", "and what the browser says of them"},
		{b.Requests, url + "/worker.js", "files are requests"},
		{b.Requests, socket + "/socket", "WebSockets are requests"},
		{b.Requests, url + "/worker-file", "workers' requests are requests"},
		{b.Requests, socket + "/worker-socket", "and their WebSockets"},
	} {
		for !strings.Contains(strings.Join(c.told(), "\n"), c.want) {
			if err := b.Do(ctx, browser.Holds("true")); err != nil { // a turn of the page
				t.Fatalf("%q was not heard (%s): %v, heard %q", c.want, c.reason, err, c.told())
			}
		}
	}
	if strings.Contains(strings.Join(b.Complaints(), "\n"), "chatter") {
		t.Error("plain console lines are no complaints")
	}
}
