// Command bench measures Drydock on this machine: the reference query against a plain handler that serves the same
// bytes, a thousand subscribers of one account, and the app in a real browser. It starts everything it needs, on loopback, and writes figures to
// bench/results. See bench/README.md.
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
	"syscall"
	"time"

	"drydock.dev/drydock/e2e/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(mainCode(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// mainCode is main, with all that it touches handed in: the process's exit code.
func mainCode(ctx context.Context, args []string, out, progress io.Writer) int {
	var err error
	switch {
	case len(args) == 3 && args[0] == plainCommand:
		err = servePlain(ctx, args[1], args[2])
	case len(args) == 3 && args[0] == customersCommand:
		err = serveCustomers(ctx, args[1], args[2])
	default:
		err = bench(ctx, args, out, progress)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(progress, "bench:", err)
		return 1
	}
	return 0
}

// settings are the flags.
type settings struct {
	quick       bool
	root, out   string
	workers     int
	rounds      int
	duration    time.Duration
	subscribers int
	writes      int
	changes     int
	customers   int
	lines       int
}

func parse(args []string, output io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.BoolVar(&s.quick, "quick", false, "a smoke run: few seconds, few subscribers; the figures mean nothing")
	flags.StringVar(&s.root, "root", ".", "the repository's `directory`")
	flags.StringVar(&s.out, "out", "", "`directory` for the results (default ROOT/bench/results)")
	flags.IntVar(&s.workers, "workers", 16, "clients that ask the dashboard query, each one request after the other, 1 to 1000")
	flags.IntVar(&s.rounds, "rounds", 3, "how often each target is measured, in turn, 1 to 20")
	flags.DurationVar(&s.duration, "duration", 5*time.Second, "how long each measurement takes, at most 1m")
	flags.IntVar(&s.subscribers, "subscribers", 1000, "WebSocket clients on buildChanged, 1 to 10000")
	flags.IntVar(&s.writes, "writes", 30, "how many status writes are followed to every subscriber, 1 to 1000")
	flags.IntVar(&s.changes, "changes", 200, "how many changes of a plan are followed to every replica, 1 to 1000")
	flags.IntVar(&s.customers, "customers", 100_000, "how many customers a fresh directory is filled with, 1 to 1000000")
	flags.IntVar(&s.lines, "lines", 100_000, "how many lines the log has that the app shows, 1 to 100000")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.quick {
		s.workers, s.rounds, s.duration, s.subscribers, s.writes, s.changes = 4, 1, 500*time.Millisecond, 25, 3, 3
		s.customers, s.lines = 500, 1000
	}
	if s.out == "" {
		s.out = filepath.Join(s.root, "bench", "results")
	}
	return s, errors.Join(
		between("workers", s.workers, 1000), between("rounds", s.rounds, 20), between("subscribers", s.subscribers, 10_000),
		between("writes", s.writes, 1000), between("changes", s.changes, 1000), between("customers", s.customers, 1_000_000), between("lines", s.lines, 100_000),
		between("duration", int(s.duration), int(time.Minute)),
	)
}

func between(name string, value, most int) error {
	if value < 1 || value > most {
		return fmt.Errorf("-%s is not between 1 and its bound: see -help", name)
	}
	return nil
}

// bench runs everything and writes the results.
func bench(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	s, err := parse(args, progress)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "drydock-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	say := func(format string, values ...any) { _, _ = fmt.Fprintf(progress, format+"\n", values...) }

	on, err := inspect(ctx, s.root)
	if err != nil {
		return err
	}
	say("building the binaries")
	binaries, err := stack.Build(ctx, s.root, dir)
	if err != nil {
		return err
	}
	say("starting the control plane and the stand-ins")
	house, err := stack.Start(ctx, stack.Options{Binaries: binaries, Dir: filepath.Join(dir, "stack"), Log: io.Discard})
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, house.Close(ending))
	}()
	if err != nil {
		return err
	}
	b := &run{settings: s, house: house, dir: dir, say: say}
	result, err := b.measure(ctx, on)
	if err != nil {
		return err
	}
	return result.write(ctx, s, out)
}
