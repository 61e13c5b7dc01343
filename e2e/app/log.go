// Package app does what people do in the app, for the end-to-end tests and the load driver.
package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// Lines is the CSS selector of the box in which a log's lines show.
const Lines = `[aria-label="Lines of the log"]`

const state = `[aria-label="Log"] [role=status]`

// SignIn opens an address of a gateway in development and signs in there.
func SignIn(url, login string) []browser.Step {
	return []browser.Step{
		browser.Open(url), browser.Visible(`input[name="login"]`),
		browser.Fill("GitHub login", login), browser.Press("Sign in"), browser.Visible("header nav"),
	}
}

// LongLog is what reading a long log came to. The times are of the longest tasks, 0 for below 50 ms, and depend on the machine.
type LongLog struct {
	Read   time.Duration `json:"readLongestTaskNanoseconds"`
	Scroll time.Duration `json:"scrollLongestTaskNanoseconds"`
	Search time.Duration `json:"searchLongestTaskNanoseconds"`
	// Last is the number of the last line that showed at the end of the log, Rows how many rows the page ever drew at a time.
	Last int `json:"lastLine"`
	Rows int `json:"rows"`
	// Heap is how many bytes the page's scripts hold with all lines.
	Heap int `json:"heapBytes"`
}

// scrollThrough scrolls the log from its beginning to its end, a part in each frame.
const scrollThrough = `(async () => {
	const box = document.querySelector('` + Lines + `');
	let rows = 0;
	for (let frame = 0; frame <= 300; frame++) {
		box.scrollTop = frame / 300 * box.scrollHeight;
		await new Promise(requestAnimationFrame);
		rows = Math.max(rows, box.querySelectorAll("a").length);
	}
	await new Promise(done => setTimeout(done, 0));
	const last = [...box.querySelectorAll("a")].reduce((last, each) => Math.max(last, Number(each.textContent)), 0);
	return JSON.stringify({lastLine: last, rows});
})()`

// ReadLongLog reads, scrolls through and searches the log that a page shows, of so many printed lines: each ends with "=>ok", and
// the second to last one alone holds the text one.
func ReadLongLog(ctx context.Context, page *browser.Page, printed int, one string) (l LongLog, err error) {
	if err = page.Do(ctx, browser.Holds(`/ lines$/.test(document.querySelector('`+state+`')?.textContent)`)); err != nil {
		return l, err
	}
	if l.Read, err = page.LongestTask(ctx); err != nil {
		return l, err
	}
	text, err := page.Evaluate(ctx, scrollThrough)
	if err != nil {
		return l, err
	}
	if err = json.Unmarshal([]byte(text), &l); err != nil {
		return l, err
	}
	if l.Scroll, err = page.LongestTask(ctx); err != nil {
		return l, err
	}
	err = page.Do(ctx,
		browser.Fill("Search the log", one), browser.Shows(state, "1 of 1"), browser.Shows(Lines+" mark", one),
		browser.Fill("Search the log", "=>OK"), browser.Shows(state, "of "+thousands(printed)))
	if err != nil {
		return l, err
	}
	if l.Search, err = page.LongestTask(ctx); err != nil {
		return l, err
	}
	l.Heap, err = page.Heap(ctx)
	return l, err
}

// thousands is a number below a million as the app writes it.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
