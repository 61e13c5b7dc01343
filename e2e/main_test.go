// Package e2e tests Drydock from outside: the real binaries, on a real control plane, over real sockets. Only Stripe
// and GitHub are stand-ins.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/stack"
)

// house is what every test's gateways and controllers stand on; TestMain sets it. Tests keep apart by their accounts.
var house *stack.Stack

// chromium shows pages to the tests' visitors.
var chromium lazyBrowser

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "drydock-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries, err := stack.Build(ctx, "..", dir)
	if err != nil {
		return 1, err
	}
	log, closeLog, err := output(dir)
	if err != nil {
		return 1, err
	}
	defer closeLog()
	house, err = stack.Start(ctx, stack.Options{Binaries: binaries, Dir: filepath.Join(dir, "stack"), Log: log})
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if closing := house.Close(ctx); closing != nil && err == nil {
			err = closing
		}
	}()
	if err != nil {
		return 1, err
	}
	if err := house.Stripe.Shrink(ctx, "Scale"); err != nil {
		return 1, err
	}
	secrets := newTold(house.Secrets()...)
	look, stop := context.WithCancel(context.Background())
	looking := make(chan struct{})
	go func() { defer close(looking); secrets.watchProcesses(look) }()
	code = m.Run()
	browsing, closed := context.WithTimeout(context.Background(), time.Minute)
	defer closed()
	leaving := chromium.close(browsing)
	stop()
	<-looking
	end, done := context.WithTimeout(context.Background(), 2*time.Minute)
	defer done()
	return code, errors.Join(leaving, checkRights(code == 0 && allTests()), secrets.check(end, log.Name(), house.Dir))
}

// output takes what the processes print: a file, which E2E_LOG keeps and names.
func output(dir string) (*os.File, func(), error) {
	name := os.Getenv("E2E_LOG")
	if name == "" {
		name = filepath.Join(dir, "log")
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	return file, func() { _ = file.Close() }, nil
}
