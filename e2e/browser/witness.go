package browser

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Witness remembers what a page and its workers complained of and asked for.
type Witness struct {
	mutex                sync.Mutex
	complaints, requests []string
}

// Complaints are the warnings and errors so far: of the console, of exceptions that nothing caught, and of the browser
// itself, such as requests that failed or broke the Content-Security-Policy.
func (w *Witness) Complaints() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.complaints)
}

// Requests are the URLs asked for so far, WebSockets included.
func (w *Witness) Requests() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.requests)
}

// watch listens to a page, and to each worker that it starts.
func (w *Witness) watch(page context.Context) error {
	return chromedp.Listen(page, func(event any) {
		w.note(event)
		if attached, ok := event.(*target.EventAttachedToTarget); ok && attached.TargetInfo.Type == "worker" {
			go w.watchWorker(page, attached.TargetInfo.TargetID) // a listener must not wait for the browser
		}
	})
}

// watchWorker listens to a worker and has it tell again what it said before. One that ends at once has nothing to tell.
func (w *Witness) watchWorker(page context.Context, id target.ID) {
	worker, cancel := chromedp.NewContext(page, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
	if err := chromedp.Listen(worker, w.note); err != nil {
		cancel()
		return
	}
	for _, again := range []cdp.Command[cdp.Empty, cdp.Empty]{runtime.Disable, runtime.Enable, log.Disable, log.Enable} {
		_, _ = chromedp.Call(worker, again, cdp.Empty{}) // fails when the worker has ended
	}
}

func (w *Witness) note(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeAssert:
			w.complain("console %s: %s", e.Type, said(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.complain("exception: %s", said([]*runtime.RemoteObject{e.ExceptionDetails.Exception}))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelWarning || e.Entry.Level == log.EntryLevelError {
			w.complain("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		w.ask(e.Request.URL)
	case *network.EventWebSocketCreated:
		w.ask(e.URL)
	}
}

// said are the arguments of a console call as text.
func said(arguments []*runtime.RemoteObject) (text string) {
	for _, each := range arguments {
		if each == nil {
			continue // an exception may come without its object
		}
		text += fmt.Sprintf(" %s%s", each.Value, each.Description)
	}
	return text
}

func (w *Witness) complain(format string, args ...any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *Witness) ask(url string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.requests = append(w.requests, url)
}
