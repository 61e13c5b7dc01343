package e2e

import (
	"testing"

	"drydock.dev/drydock/e2e/app"
	"drydock.dev/drydock/e2e/browser"
)

// mostRows is how many lines of a log a page draws at most in a window of any size here.
const mostRows = 100

// checkLongLogPage opens the page of a build that printed the show's lines, scrolls through them, and searches them. How long it
// keeps the page from answering depends on the machine: the figures are told, and bench measures them.
func checkLongLogPage(t *testing.T, a *actor, url, id string) {
	t.Helper()
	v := visit(t, url)
	v.signInAt("/builds/"+id, a.login)
	log, err := app.ReadLongLog(within(t, patience), v.Page, showLines, "[099999]")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the page's longest tasks: %s to load and read, %s to scroll, %s to search %d lines; %d bytes of heap", log.Read, log.Scroll, log.Search, showLines, log.Heap)
	if log.Last < showLines {
		t.Errorf("the last line of the log shows as %d, want %d at least", log.Last, showLines)
	}
	if log.Rows > mostRows {
		t.Errorf("%d lines are drawn at a time, want %d at most", log.Rows, mostRows)
	}
	v.do("have a way to download it", browser.Holds(`document.querySelector('a[aria-label="Download the log"]').href === "`+url+"/builds/"+id+`/log.txt"`))
}
