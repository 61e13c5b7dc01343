package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"drydock.dev/drydock/e2e/app"
	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/e2e/client"
)

// inBrowser is how the app works in a real browser; times are the best of the rounds.
type inBrowser struct {
	Rounds int    `json:"rounds"`
	Pages  []page `json:"pages"`
	// Lines were printed to the log that Log is of.
	Lines int         `json:"lines"`
	Log   app.LongLog `json:"log"`
}

// roundTime bounds a round.
const roundTime = 2 * time.Minute

// page is how one of the app's pages loads. All but the first have what the first one brought.
type page struct {
	Name string `json:"name"`
	browser.Figures
	// Heap is how many bytes its scripts hold.
	Heap int `json:"heapBytes"`

	path, shows, text string // what tells that all of it is there
}

// pages are those that are measured; the first is read before anybody signed in.
func pages(build string) []page {
	return []page{
		{Name: "the first page, to sign in", path: "/", shows: "h2", text: "Sign in"},
		{Name: "images", path: "/", shows: "main li", text: "image-19"},
		{Name: "an image", path: "/images/image-01", shows: "main table", text: "#3"},
		{Name: "a build", path: "/builds/" + build, shows: app.Lines, text: "=>ok"},
		{Name: "usage", path: "/usage", shows: "h1", text: "Usage"},
		{Name: "the plan", path: "/plan", shows: "main", text: "Switch to"},
		{Name: "settings", path: "/settings", shows: "h1", text: "Settings"},
		{Name: "GraphiQL", path: "/graphiql", shows: "body", text: "viewer"},
	}
}

// measureApp visits every page in each round, each time as somebody whose browser was never there.
func (r *run) measureApp(ctx context.Context, c *client.Client) (_ *inBrowser, err error) {
	r.say("the app in a browser, with a log of %d lines", r.lines)
	build, err := r.keepLongLog(ctx, c)
	if err != nil {
		return nil, err
	}
	chromium, err := browser.Launch(ctx, filepath.Join(r.root, "e2e", "browser", "driver"))
	if err != nil {
		return nil, err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, chromium.Close(ending))
	}()
	best := &inBrowser{Rounds: r.rounds, Pages: pages(build), Lines: r.lines}
	for round := range r.rounds {
		visitor, err := chromium.Visit(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.look(ctx, visitor, best, round == 0); err != nil {
			return nil, fmt.Errorf("%w; the browser complains: %q", err, visitor.Complaints())
		}
		if err := visitor.Close(ctx); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// look visits every page once and keeps what is better than before.
func (r *run) look(ctx context.Context, visitor *browser.Page, best *inBrowser, first bool) error {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	for i := range best.Pages {
		if i == 1 {
			if err := visitor.Do(ctx, app.SignIn(r.gateway.URL, login)...); err != nil {
				return err
			}
		}
		now := best.Pages[i]
		err := visitor.Do(ctx, browser.Open(r.gateway.URL+now.path), browser.Shows(now.shows, now.text))
		if err != nil {
			return err
		}
		if now.Figures, err = visitor.Figures(ctx); err != nil {
			return err
		}
		if now.Heap, err = visitor.Heap(ctx); err != nil {
			return err
		}
		if was := best.Pages[i]; !first {
			now.FirstPaint, now.Blocked = min(now.FirstPaint, was.FirstPaint), min(now.Blocked, was.Blocked)
		}
		best.Pages[i] = now
	}
	if err := visitor.Do(ctx, browser.Open(r.gateway.URL+best.Pages[3].path)); err != nil {
		return err
	}
	log, err := app.ReadLongLog(ctx, visitor, r.lines, lineMark(r.lines-1))
	if was := best.Log; !first {
		log.Read, log.Scroll, log.Search = min(log.Read, was.Read), min(log.Scroll, was.Scroll), min(log.Search, was.Search)
	}
	best.Log = log
	return err
}
