package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Figures are what Lighthouse tells of how a page loaded (https://web.dev/articles/fcp, https://web.dev/articles/tbt). The times depend
// on the machine and on what else it does.
type Figures struct {
	// FirstPaint is when the first text or picture showed, from the start of the navigation.
	FirstPaint time.Duration `json:"firstContentfulPaintNanoseconds"`
	// Blocked is the sum of what tasks took beyond 50 ms each until now.
	Blocked time.Duration `json:"totalBlockingTimeNanoseconds"`
	// Scripts and All are bytes as they traveled, those that the browser had kept included: of JavaScript, and of everything.
	Scripts int `json:"scriptBytes"`
	All     int `json:"bytes"`
}

const figures = `new Promise(done => {
	let blocked = 0;
	new PerformanceObserver(list => { for (const each of list.getEntries()) blocked += Math.max(0, each.duration - 50); }).observe({type: "longtask", buffered: true});
	setTimeout(() => setTimeout(() => {
		const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
		const bytes = of => of.reduce((sum, each) => sum + each.encodedBodySize, 0);
		done(JSON.stringify({
			firstContentfulPaintNanoseconds: Math.round((performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0) * 1e6),
			totalBlockingTimeNanoseconds: Math.round(blocked * 1e6),
			scriptBytes: bytes(all.filter(each => each.name.endsWith(".js"))), bytes: bytes(all),
		}));
	}));
})`

// Figures tells how the page loaded.
func (p *Page) Figures(ctx context.Context) (Figures, error) {
	var f Figures
	text, err := p.Evaluate(ctx, figures)
	if err != nil {
		return f, err
	}
	err = json.Unmarshal([]byte(text), &f)
	if err == nil && f.All == 0 {
		err = errors.New("nothing was loaded")
	}
	if err != nil {
		return f, fmt.Errorf("no figures of the page: %s: %w", text, err)
	}
	return f, nil
}

const longestTask = `new Promise(done => {
	if (!window.tasks) {
		window.tasks = {longest: 0};
		new PerformanceObserver(list => {
			for (const each of list.getEntries()) tasks.longest = Math.max(tasks.longest, each.duration);
		}).observe({type: "longtask", buffered: true});
	}
	setTimeout(() => setTimeout(() => { done(String(Math.round(tasks.longest))); tasks.longest = 0; }));
})`

// LongestTask is how long the longest task kept the page from answering since this was asked last, or else since the page began
// to load; 0 for below 50 ms (https://www.w3.org/TR/longtasks-1/).
func (p *Page) LongestTask(ctx context.Context) (time.Duration, error) {
	text, err := p.Evaluate(ctx, longestTask)
	if err != nil {
		return 0, err
	}
	milliseconds, err := strconv.Atoi(text)
	return time.Duration(milliseconds) * time.Millisecond, err
}
