package browser_test

import (
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// checkWitness holds that nothing a page or a worker of it complains of goes unheard.
func checkWitness(t *testing.T, b *browser.Browser, url string) {
	ctx, page := within(t), visit(t, b, url+"/complaints.html")
	socket := strings.Replace(url, "http", "ws", 1)
	for _, c := range []struct {
		told   func() []string
		want   string
		reason string
	}{
		{page.Complaints, "a warning", "the console's warnings count"},
		{page.Complaints, "an error", "the console's errors count"},
		{page.Complaints, "nobody catches this", "exceptions count"},
		{page.Complaints, "nobody waits for this", "and those of promises"},
		{page.Complaints, "Connecting to 'http://of-page.invalid/' violates", "the browser's own complaints count"},
		{page.Complaints, socket + "/socket", "a socket that is refused counts"},
		{page.Complaints, "of the worker", "workers count"},
		{page.Complaints, "nobody catches the worker's", "and their exceptions"},
		{page.Complaints, "/worker-file is answered with 404", "and what they do not get"},
		{page.Complaints, socket + "/worker-socket", "and their sockets"},
		{page.Complaints, "Connecting to 'http://of-worker.invalid/' violates", "and what the browser says of them"},
		{page.Requests, url + "/worker.js", "files are requests"},
		{page.Requests, socket + "/socket", "WebSockets are requests"},
		{page.Requests, url + "/worker-file", "workers' requests are requests"},
		{page.Requests, socket + "/worker-socket", "and their WebSockets"},
	} {
		for !strings.Contains(strings.Join(c.told(), "\n"), c.want) {
			if err := page.Do(ctx, browser.Holds("true")); err != nil { // a turn of the page
				t.Fatalf("%q was not heard (%s): %v, heard %q", c.want, c.reason, err, c.told())
			}
		}
	}
	if strings.Contains(strings.Join(page.Complaints(), "\n"), "chatter") {
		t.Error("plain console lines are no complaints")
	}
}
