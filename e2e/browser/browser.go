// Package browser drives a real Chromium for the end-to-end tests, and remembers all that a page complains of and asks for.
package browser

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Step is one thing done in the page.
type Step = chromedp.Action[chromedp.Void]

// Browser is one Chromium with one page.
type Browser struct {
	// Witness is of everything since the start.
	*Witness
	ctx  context.Context
	stop context.CancelFunc
}

// Start runs Chromium, headless and with a fresh profile in a directory, until Close.
func Start(ctx context.Context, profile string) (*Browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("%w: install it with `hack/packages.sh browser` or `apt-get install chromium`", err)
	}
	// It ends by Close, not with the context: a browser that is killed may leave processes that still write its profile.
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(ctx), chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("window-size", "2000,1200"))
	page, _ := chromedp.NewContext(allocator) // canceled with its parent
	b := &Browser{Witness: &Witness{}, ctx: page, stop: stop}
	if err := b.watch(page); err != nil {
		stop()
		return nil, err
	}
	return b, nil
}

// Close asks Chromium to end and waits for it; at the context's deadline it is killed.
func (b *Browser) Close(ctx context.Context) error {
	defer b.stop()
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Cancel(page)
}

// Do does the steps, one after the other, until the context's end.
func (b *Browser) Do(ctx context.Context, steps ...Step) error {
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Do(page, steps...)
}

// Text is what the page shows, for a failed test to tell.
func (b *Browser) Text(ctx context.Context) (string, error) {
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Run(page, chromedp.Evaluate[string]("document.body.innerText"))
}

// Location is the page's address.
func (b *Browser) Location(ctx context.Context) (string, error) {
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Run(page, chromedp.Evaluate[string]("location.href"))
}

// Evaluate is the text that a JavaScript expression is, or promises.
func (b *Browser) Evaluate(ctx context.Context, expression string) (string, error) {
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Run(page, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}

// Heap is how many bytes the page's scripts hold once the garbage is collected.
func (b *Browser) Heap(ctx context.Context) (int, error) {
	page, cancel := b.within(ctx)
	defer cancel()
	if _, err := chromedp.Call(page, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		return 0, err
	}
	usage, err := chromedp.Call(page, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	return int(usage.UsedSize), nil
}

// Picture is what the window shows, as PNG.
func (b *Browser) Picture(ctx context.Context) ([]byte, error) {
	page, cancel := b.within(ctx)
	defer cancel()
	return chromedp.Run(page, chromedp.CaptureScreenshot())
}

// within is the page's context with the end of another one.
func (b *Browser) within(ctx context.Context) (context.Context, context.CancelFunc) {
	page, cancel := context.WithCancel(b.ctx)
	stop := context.AfterFunc(ctx, cancel)
	return page, func() { stop(); cancel() }
}

// Click clicks the first element under the CSS selector when it is there to see.
func Click(selector string) Step { return chromedp.Click(chromedp.CSS(selector)) }

// Visible waits until the first element under the CSS selector is there to see.
func Visible(selector string) Step { return chromedp.WaitVisible(chromedp.CSS(selector)) }

// Shows waits until an element under the CSS selector shows the text.
func Shows(selector, text string) Step {
	// Monaco shows spaces as no-break spaces.
	const function = `(selector, text) => [...document.querySelectorAll(selector)].
		some(each => each.checkVisibility() && each.textContent.replaceAll('\u00a0', ' ').includes(text))`
	return chromedp.PollFunction[chromedp.Void](function, chromedp.WithPollingArgs(selector, text), chromedp.WithPollingTimeout(0))
}

// Holds waits until a JavaScript expression is true.
func Holds(expression string) Step {
	return chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(0))
}

// Press clicks the first button, link or menu item of that name when it is there to see.
func Press(name string) Step {
	return chromedp.Click(chromedp.Search(fmt.Sprintf(
		`//*[self::button or self::a][normalize-space()=%[1]q or @aria-label=%[1]q]`, name)))
}

// Toggle clicks the switch with that label when it is there to see.
func Toggle(label string) Step {
	return chromedp.Click(chromedp.Search(fmt.Sprintf(`//label[normalize-space()=%q]`, label)))
}

// Fill puts a text in the place of what the field with that label holds, as a keyboard does.
func Fill(label, text string) Step {
	const focus = `label => {
		const of = [...document.querySelectorAll('label')].find(each => each.textContent.trim() === label && each.checkVisibility());
		const field = of?.control ?? document.querySelector('input[aria-label="' + CSS.escape(label) + '"]');
		field?.focus();
		field?.select();
		return field !== null && field === document.activeElement;
	}`
	return chromedp.Steps(
		chromedp.PollFunction[chromedp.Void](focus, chromedp.WithPollingArgs(label), chromedp.WithPollingTimeout(0)), Type(text))
}

// Paste puts a text in the place of all that the focused editor holds.
func Paste(text string) Step {
	const function = `text => {
		const data = new DataTransfer();
		data.setData("text/plain", text);
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
		return true;
	}`
	return chromedp.Steps(
		chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)),
		chromedp.PollFunction[chromedp.Void](function, chromedp.WithPollingArgs(text), chromedp.WithPollingTimeout(0)))
}

// Prefer makes the page see a color scheme, light or dark, as the person's choice.
func Prefer(scheme string) Step {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
	}
}
