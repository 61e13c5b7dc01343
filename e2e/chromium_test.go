package e2e

import (
	"context"
	"sync"

	"drydock.dev/drydock/e2e/browser"
)

// lazyBrowser is the one Chromium of all tests, which the first visitor starts and TestMain ends. Visitors share nothing in it.
type lazyBrowser struct {
	mutex   sync.Mutex
	started *browser.Browser
}

func (l *lazyBrowser) get(ctx context.Context) (*browser.Browser, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.started != nil {
		return l.started, nil
	}
	started, err := browser.Launch(ctx, "browser/driver")
	l.started = started
	return started, err
}

func (l *lazyBrowser) close(ctx context.Context) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.started == nil {
		return nil
	}
	return l.started.Close(ctx)
}
