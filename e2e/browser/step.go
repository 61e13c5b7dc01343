package browser

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/playwright-community/playwright-go"
)

// Step is one thing done in the page. It waits until it can be done.
type Step struct {
	what string // for who reads that it failed
	do   func(ctx context.Context, page playwright.Page) error
}

// Open goes to an address and waits until all of it is loaded.
func Open(url string) Step {
	return Step{"open " + url, func(ctx context.Context, page playwright.Page) error {
		_, err := page.Goto(url, playwright.PageGotoOptions{Timeout: patience(ctx)})
		return err
	}}
}

// Back goes to the page before.
func Back() Step {
	return Step{"go back", func(ctx context.Context, page playwright.Page) error {
		_, err := page.GoBack(playwright.PageGoBackOptions{Timeout: patience(ctx)})
		return err
	}}
}

// Reload loads the page again.
func Reload() Step {
	return Step{"reload", func(ctx context.Context, page playwright.Page) error {
		_, err := page.Reload(playwright.PageReloadOptions{Timeout: patience(ctx)})
		return err
	}}
}

// Size makes the window that many pixels wide and high.
func Size(width, height int) Step {
	return Step{fmt.Sprintf("be %d by %d pixels", width, height), func(_ context.Context, page playwright.Page) error {
		return page.SetViewportSize(width, height)
	}}
}

// Prefer makes the page see a color scheme, light or dark, as the person's choice.
func Prefer(scheme string) Step {
	return Step{"prefer " + scheme, func(_ context.Context, page playwright.Page) error {
		color := playwright.ColorScheme(scheme)
		return page.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: &color})
	}}
}

// Click clicks the first element under the CSS selector that is there to see.
func Click(selector string) Step {
	return click(selector, func(page playwright.Page) playwright.Locator { return seen(page.Locator(selector)).First() })
}

// Press clicks the first button, link, tab or menu item of that name.
func Press(name string) Step {
	return click("button, link, tab or menu item "+name, func(page playwright.Page) playwright.Locator {
		role := func(role playwright.AriaRole) playwright.Locator {
			return page.GetByRole(role, playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)})
		}
		return role("button").Or(role("link")).Or(role("tab")).Or(role("menuitem")).First()
	})
}

// Toggle clicks the one switch with that label: the label, since the switch itself has no size.
func Toggle(label string) Step {
	return click("switch "+label, func(page playwright.Page) playwright.Locator {
		return seen(page.Locator("label").Filter(playwright.LocatorFilterOptions{HasText: pattern("^", label, "$")}))
	})
}

// click clicks an element when it is there to see, stands still, is enabled, and nothing lies over it.
func click(what string, find func(playwright.Page) playwright.Locator) Step {
	return Step{"click " + what, func(ctx context.Context, page playwright.Page) error {
		return find(page).Click(playwright.LocatorClickOptions{Timeout: patience(ctx)})
	}}
}

// Visible waits until an element under the CSS selector is there to see.
func Visible(selector string) Step {
	return Step{"see " + selector, func(ctx context.Context, page playwright.Page) error {
		return seen(page.Locator(selector)).First().WaitFor(playwright.LocatorWaitForOptions{Timeout: patience(ctx)})
	}}
}

// Shows waits until an element under the CSS selector shows the text. White space of any kind and length is a blank.
func Shows(selector, text string) Step {
	words := pattern("", text, "")
	return Step{fmt.Sprintf("see %s show %q", selector, text), func(ctx context.Context, page playwright.Page) error {
		shows := page.Locator(selector).Filter(playwright.LocatorFilterOptions{HasText: words})
		return seen(shows).First().WaitFor(playwright.LocatorWaitForOptions{Timeout: patience(ctx)})
	}}
}

// pattern is of a text, in upper and lower case as it is (which Playwright's search for a text is not), between two others.
func pattern(before, text, after string) *regexp.Regexp {
	// Each sign is escaped: a quote or a slash would end the pattern early in Playwright's selectors.
	escaped := regexp.MustCompile(`[[:punct:]]`).ReplaceAllString(strings.Join(strings.Fields(text), " "), `\$0`)
	return regexp.MustCompile(before + strings.ReplaceAll(escaped, " ", `\s+`) + after)
}

// seen are those of the elements that are there to see.
func seen(all playwright.Locator) playwright.Locator {
	return all.Filter(playwright.LocatorFilterOptions{Visible: playwright.Bool(true)})
}

// Holds waits until a JavaScript expression is true, also over to the next page.
func Holds(expression string) Step {
	// Page.WaitForFunction evaluates a text in each frame, which a strict Content-Security-Policy forbids.
	wait := `new Promise((done, fail) => {
		const look = () => { try { (` + expression + `) ? done() : requestAnimationFrame(look); } catch (wrong) { fail(wrong); } };
		look();
	})`
	return Step{"wait for " + expression, func(ctx context.Context, page playwright.Page) error {
		for {
			_, err := page.Evaluate(wait)
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Execution context was destroyed") {
				return err
			}
		}
	}}
}

// Focused waits until an element under the CSS selector, or one in it, has the focus.
func Focused(selector string) Step {
	return Holds(fmt.Sprintf("document.activeElement.closest(%q) !== null", selector))
}

// Fill puts a text in the place of what the one field with that label holds.
func Fill(label, text string) Step {
	return Step{"fill " + label, func(ctx context.Context, page playwright.Page) error {
		labelled := page.GetByLabel(label, playwright.PageGetByLabelOptions{Exact: playwright.Bool(true)})
		return seen(labelled.And(page.Locator("input, textarea"))).Fill(text, playwright.LocatorFillOptions{Timeout: patience(ctx)})
	}}
}
