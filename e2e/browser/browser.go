// Package browser drives a real Chromium by Playwright for the end-to-end tests, and remembers all that a page complains of
// and asks for. `make driver` installs Playwright's driver, a program of Node.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/playwright-community/playwright-go"
)

// Browser is one Chromium, headless, in which any number of people visit pages. It ends with the process that started it.
type Browser struct {
	driver   *playwright.Playwright
	chromium playwright.Browser
	home     string
}

// Launch runs Chromium until Close. The folder is the one of this package called driver, where Playwright is installed.
func Launch(ctx context.Context, folder string) (*Browser, error) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("%w: install it with `hack/packages.sh browser` or `apt-get install chromium`", err)
	}
	home, err := driverHome(folder)
	if err != nil {
		return nil, err
	}
	b := &Browser{home: home}
	b.driver, err = call(ctx, func() (*playwright.Playwright, error) {
		return playwright.Run(&playwright.RunOptions{DriverDirectory: home, SkipInstallBrowsers: true, Stderr: os.Stderr})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Playwright's driver: %w", err), os.RemoveAll(home))
	}
	b.chromium, err = call(ctx, func() (playwright.Browser, error) {
		return b.driver.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
			ExecutablePath: &chromium, Args: []string{"--disable-gpu"}, Timeout: patience(ctx),
		})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", chromium, err), b.Close(ctx))
	}
	return b, nil
}

// driverHome makes a folder with what the library looks for in one: the program node, and Playwright called package.
func driverHome(folder string) (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("%w: install Node 20 or newer", err)
	}
	installed, err := filepath.Abs(filepath.Join(folder, "node_modules", "package"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(installed); err != nil {
		return "", fmt.Errorf("the browser's driver is missing: run `make driver` (%w)", err)
	}
	home, err := os.MkdirTemp("", "drydock-browser-")
	if err != nil {
		return "", err
	}
	return home, errors.Join(os.Symlink(node, filepath.Join(home, "node")), os.Symlink(installed, filepath.Join(home, "package")))
}

// Close ends Chromium and the driver, and waits for both; at the context's deadline they are killed.
func (b *Browser) Close(ctx context.Context) error {
	_, err := call(ctx, func() (_ struct{}, err error) {
		if b.chromium != nil {
			err = b.chromium.Close()
		}
		return struct{}{}, errors.Join(err, b.driver.Stop())
	})
	if ctx.Err() != nil {
		if driver, finding := os.FindProcess(b.driver.Pid()); finding == nil {
			_ = driver.Kill() // Chromium ends when it has lost its driver
		}
	}
	return errors.Join(err, os.RemoveAll(b.home))
}

// call does what takes no context until the context's end: what has not returned by then is left behind.
func call[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
