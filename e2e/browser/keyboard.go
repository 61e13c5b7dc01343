package browser

import (
	"context"
	"fmt"

	"github.com/playwright-community/playwright-go"
)

// Type puts a text where the focus is.
func Type(text string) Step {
	return Step{"type " + text, func(_ context.Context, page playwright.Page) error { return page.Keyboard().InsertText(text) }}
}

// Key presses a key by its name, such as ArrowDown or Control+a (https://playwright.dev/docs/api/class-keyboard#keyboard-press).
func Key(name string) Step {
	return Step{"press " + name, func(_ context.Context, page playwright.Page) error { return page.Keyboard().Press(name) }}
}

// Enter presses the Enter key.
func Enter() Step { return Key("Enter") }

// Paste puts a text in the place of all that the focused editor holds.
func Paste(text string) Step {
	const paste = `text => {
		const data = new DataTransfer();
		data.setData("text/plain", text);
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
	}`
	return Step{"paste " + text, func(_ context.Context, page playwright.Page) error {
		if err := page.Keyboard().Press("Control+a"); err != nil {
			return err
		}
		_, err := page.Evaluate(paste, text)
		return err
	}}
}

// maxTabs is more than any page has stops.
const maxTabs = 100

// TabTo presses Tab until a button, a link or a field of that name has the focus, and holds that the focus shows.
func TabTo(name string) Step {
	const focused = `(() => {
		const at = document.activeElement;
		const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
		return at === document.body ? "" : name.trim() + (at.matches(":focus-visible") ? "" : " without a sign of the focus");
	})()`
	return Step{"go by Tab to " + name, func(_ context.Context, page playwright.Page) error {
		var names []any
		for range maxTabs {
			if err := page.Keyboard().Press("Tab"); err != nil {
				return err
			}
			at, err := page.Evaluate(focused)
			if err != nil || at == name {
				return err
			}
			names = append(names, at)
		}
		return fmt.Errorf("it is not among %q", names)
	}}
}
