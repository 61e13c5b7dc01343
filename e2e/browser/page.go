package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/playwright-community/playwright-go"
)

// Page is one page of somebody who shares nothing with others: cookies, storage, caches.
type Page struct {
	// Witness is of everything since the start.
	*Witness
	session  playwright.BrowserContext
	page     playwright.Page
	devtools playwright.CDPSession
}

// Visit opens an empty page of 2000x1200 pixels, until Close.
func (b *Browser) Visit(ctx context.Context) (*Page, error) {
	return call(ctx, func() (*Page, error) {
		session, err := b.chromium.NewContext(playwright.BrowserNewContextOptions{
			Viewport: &playwright.Size{Width: 2000, Height: 1200}, Permissions: []string{"clipboard-read", "clipboard-write"},
		})
		if err != nil {
			return nil, err
		}
		p := &Page{Witness: &Witness{}, session: session}
		p.watch(session)
		if err := p.begin(); err != nil {
			return nil, errors.Join(err, session.Close())
		}
		return p, nil
	})
}

func (p *Page) begin() (err error) {
	if p.page, err = p.session.NewPage(); err != nil {
		return err
	}
	if p.devtools, err = p.session.NewCDPSession(p.page); err != nil {
		return err
	}
	return p.watchWorkers(p.devtools)
}

// Close ends the visit.
func (p *Page) Close(ctx context.Context) error {
	_, err := call(ctx, func() (struct{}, error) { return struct{}{}, p.session.Close() })
	return err
}

// Do does the steps, one after the other, until the context's end.
func (p *Page) Do(ctx context.Context, steps ...Step) error {
	for _, step := range steps {
		_, err := call(ctx, func() (struct{}, error) { return struct{}{}, step.do(ctx, p.page) })
		if err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// Text is what the page shows, for a failed test to tell.
func (p *Page) Text(ctx context.Context) (string, error) {
	return p.Evaluate(ctx, "document.body.innerText")
}

// Location is the page's address.
func (p *Page) Location(ctx context.Context) (string, error) {
	return p.Evaluate(ctx, "location.href")
}

// Clipboard is the text that was copied last.
func (p *Page) Clipboard(ctx context.Context) (string, error) {
	return p.Evaluate(ctx, "navigator.clipboard.readText()")
}

// Evaluate is the text that a JavaScript expression is, or promises.
func (p *Page) Evaluate(ctx context.Context, expression string) (string, error) {
	value, err := call(ctx, func() (any, error) { return p.page.Evaluate(expression) })
	if err != nil {
		return "", err
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("the expression is no text but %v: %s", value, expression)
	}
	return text, nil
}

// Heap is how many bytes the page's scripts hold once the garbage is collected.
func (p *Page) Heap(ctx context.Context) (int, error) {
	return call(ctx, func() (int, error) {
		if _, err := p.devtools.Send("HeapProfiler.collectGarbage", nil); err != nil {
			return 0, err
		}
		usage, err := p.devtools.Send("Runtime.getHeapUsage", nil)
		if err != nil {
			return 0, err
		}
		held, ok := usage.(map[string]any)["usedSize"].(float64)
		if !ok {
			return 0, fmt.Errorf("the heap's size is not told: %v", usage)
		}
		return int(held), nil
	})
}

// Picture is what the window shows, as PNG.
func (p *Page) Picture(ctx context.Context) ([]byte, error) {
	return call(ctx, func() ([]byte, error) {
		return p.page.Screenshot(playwright.PageScreenshotOptions{Timeout: patience(ctx)})
	})
}

// patience is how long Playwright may wait, in milliseconds: a little less than the context, so that it tells what it waited for.
func patience(ctx context.Context) *float64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return playwright.Float(0) // for ever
	}
	return playwright.Float(max(1, time.Until(deadline).Seconds()*900))
}
