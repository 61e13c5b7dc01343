package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Type puts a text where the focus is.
func Type(text string) Step {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return chromedp.Void{}, err
	}
}

// Enter presses the Enter key.
func Enter() Step { return chromedp.KeyEvent(kb.Enter) }

// maxTabs is more than any page has stops.
const maxTabs = 100

// TabTo presses Tab until a button, a link or a field of that name has the focus, and holds that the focus shows.
func TabTo(name string) Step {
	const focused = `(() => {
		const at = document.activeElement;
		const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
		return at === document.body ? "" : name.trim() + (at.matches(":focus-visible") ? "" : " without a sign of the focus");
	})()`
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		var names []string
		for range maxTabs {
			if _, err := chromedp.KeyEvent(kb.Tab)(ctx, target); err != nil {
				return chromedp.Void{}, err
			}
			at, err := chromedp.Evaluate[string](focused)(ctx, target)
			if err != nil || at == name {
				return chromedp.Void{}, err
			}
			names = append(names, at)
		}
		return chromedp.Void{}, fmt.Errorf("no way to %q by Tab: %q", name, names)
	}
}
