package e2e

import (
	"fmt"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// watchTasks notes how long the page's longest task takes (https://www.w3.org/TR/longtasks-1/): one below 50 ms is none.
const watchTasks = `(window.longest = 0, new PerformanceObserver(list => {
	for (const each of list.getEntries()) window.longest = Math.max(window.longest, each.duration);
}).observe({type: "longtask", buffered: true}), "")`

// scrollThrough scrolls the log from its beginning to its end, a part in each frame, and tells the last line that shows.
const scrollThrough = `(async () => {
	const box = document.querySelector('[aria-label="Lines of the log"]');
	for (let frame = 0; frame <= 300; frame++) {
		box.scrollTop = frame / 300 * box.scrollHeight;
		await new Promise(requestAnimationFrame);
	}
	await new Promise(done => setTimeout(done, 0));
	return [...box.querySelectorAll("a")].map(each => Number(each.textContent)).reduce((a, b) => Math.max(a, b), 0).toString();
})()`

// checkLongLogPage opens the page of a build that printed the show's lines, scrolls through them, and searches
// them. How long it keeps the page from answering depends on the machine: the figures are told.
func checkLongLogPage(t *testing.T, a *actor, url, id string) {
	t.Helper()
	v := visit(t, url)
	v.signInAt("/builds/"+id, a.login)
	v.evaluate(watchTasks)
	v.do("have all lines", browser.Holds(`!document.querySelector('[aria-label="Log"] [role=status]')?.textContent.includes("Live") && document.querySelector('[aria-label="Log"]')?.textContent.includes("100,")`))
	reading := v.longestTask()
	last := v.evaluate(scrollThrough)
	var number int
	if _, err := fmt.Sscan(last, &number); err != nil || number < showLines {
		t.Errorf("the last line of the log shows as %q (%v), want %d at least", last, err, showLines)
	}
	scrolling := v.longestTask()
	v.do("search one line", browser.Fill("Search the log", "[099999]"))
	v.see("where it is", `[aria-label="Log"] [role=status]`, "1 of 1")
	v.see("it", `[aria-label="Lines of the log"] mark`, "[099999]")
	v.do("search all of them", browser.Fill("Search the log", "=>OK"))
	v.see("how many there are", `[aria-label="Log"] [role=status]`, "of 100,000")
	t.Logf("the page's longest task: %s ms to load and read, %s ms to scroll, %s ms to search %d lines", reading, scrolling, v.longestTask(), showLines)

	at := v.evaluate(`document.querySelector('a[aria-label="Download the log"]').href`)
	if at != url+"/builds/"+id+"/log.txt" {
		t.Errorf("the log is downloaded from %s", at)
	}
}

// longestTask is how many milliseconds the longest task took since it was asked last; 0 for below 50.
func (v *visitor) longestTask() string {
	v.t.Helper()
	return v.evaluate(`new Promise(done => setTimeout(() => { done(String(Math.round(window.longest))); window.longest = 0; }, 0))`)
}
