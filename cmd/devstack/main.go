// Command devstack runs all of Drydock on this machine, on loopback: a Kubernetes
// control plane with a node, stand-ins for Stripe and GitHub, an OCI registry, a git
// server with samples, the controller and the gateway. `make run` builds and starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

var version = "dev"

// options are what the command line says.
type options struct {
	dir    string
	bin    string
	listen string
	only   []string
}

func main() { os.Exit(runMain(os.Args[1:], os.Stdout, os.Stderr)) }

// runMain is main with an exit code: 2 for a wrong command line.
func runMain(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "devstack:", err)
		return 2
	}
	if err := run(ctx, o, stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, "devstack:", err)
		return 1
	}
	return 0
}

// parse reads the command line; an error is one line that names the flag.
func parse(args []string, stdout io.Writer) (options, error) {
	var (
		o    options
		only string
	)
	set := flag.NewFlagSet("devstack", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.dir, "dir", ".devstack", "`directory` of the state: what is there is found again")
	set.StringVar(&o.bin, "bin", "bin", "`directory` of the binaries drydock, controller and kubestack")
	set.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` of the gateway; another port is taken where this one is not free")
	set.StringVar(&only, "only", strings.Join(partNames(), ","), "`parts` to run, separated by commas")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintf(stdout, "devstack %s runs all of Drydock on this machine. Ctrl-C stops it.\n\n", version)
			set.SetOutput(stdout)
			set.PrintDefaults()
		}
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: see devstack --help", set.Arg(0))
	}
	for name := range strings.SplitSeq(only, ",") {
		o.only = append(o.only, strings.TrimSpace(name))
	}
	return o, o.complete()
}

// complete checks the parts and makes paths absolute.
func (o *options) complete() error {
	for _, name := range o.only {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return fmt.Errorf("--only: there is no part %q; the parts are %s", name, strings.Join(partNames(), ", "))
		}
		for _, needed := range parts[i].needs {
			if !slices.Contains(o.only, needed) {
				return fmt.Errorf("--only: %s needs %s: name both", name, needed)
			}
		}
	}
	for _, path := range []*string{&o.dir, &o.bin} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	return nil
}

// stopWithin is how long the parts together may take to end before they are killed.
const stopWithin = 30 * time.Second

// run starts the parts, tells when they are ready, waits for a signal or the end of
// one of them, and stops them all.
func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	unlock, err := lock(o.dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := newStack(o, stdout)
	if err != nil {
		return err
	}
	defer func() {
		s.say("stopping")
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, s.stop(ending))
	}()
	if err := s.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it starts is no failure
		}
		return err
	}
	s.say("%s", s.summary())
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}
