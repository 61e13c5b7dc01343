package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"drydock.dev/drydock/billing/billingtest"
)

// part is one thing that runs.
type part struct {
	name  string
	needs []string
	// start returns when the part can be used.
	start func(ctx context.Context, s *stack) error
}

// parts are all of them, in the order of their start.
var parts = []part{
	{"stripe", nil, startStripe},
	{"github", nil, startGitHub},
	{"registry", nil, startRegistry},
	{"git", nil, startGit},
	{"kube", nil, startKube},
	{"controller", []string{"kube", "stripe"}, startController},
	{"gateway", []string{"kube", "stripe", "github"}, startGateway},
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// stack is what runs, and what others must know of it.
type stack struct {
	options
	out   *output
	ports *ports
	env   environment

	// stripe is nil where it is not to run here.
	stripe                                       *billingtest.Server
	stripeURL, githubURL, gatewayURL, kubeconfig string

	// failed gets the end of a part that should go on.
	failed  chan error
	closers []closer
}

// closer ends one part within the context's time.
type closer struct {
	name string
	end  func(context.Context) error
}

func newStack(o options, stdout io.Writer) (*stack, error) {
	saved, err := openPorts(filepath.Join(o.dir, "ports.json"))
	if err != nil {
		return nil, err
	}
	return &stack{
		options: o, out: newOutput(stdout, os.Getenv("NO_COLOR") != ""), ports: saved,
		failed: make(chan error, len(parts)),
	}, nil
}

// say prints a line of devstack's own.
func (s *stack) say(format string, args ...any) {
	s.out.line("devstack", fmt.Appendf(nil, format, args...))
}

// start starts the wanted parts one after another, and writes the env file.
func (s *stack) start(ctx context.Context) error {
	for _, p := range parts {
		if !slices.Contains(s.only, p.name) {
			continue
		}
		s.say("starting %s", p.name)
		began := time.Now()
		if err := p.start(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		s.say("%s is ready after %.1f s", p.name, time.Since(began).Seconds())
	}
	return s.env.write(filepath.Join(s.dir, "env"))
}

// stop ends what was started, the last one first.
func (s *stack) stop(ctx context.Context) error {
	var problems []error
	for _, c := range slices.Backward(s.closers) {
		if err := c.end(ctx); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(problems...)
}

func (s *stack) onStop(name string, end func(context.Context) error) {
	s.closers = append(s.closers, closer{name, end})
}

// summary is the one line that tells what to do now.
func (s *stack) summary() string {
	file := filepath.Join(s.dir, "env")
	if s.gatewayURL == "" {
		return fmt.Sprintf("ready: for a shell's variables: . %s", file)
	}
	return fmt.Sprintf("ready: open %s and sign in by any login, such as ada; by curl: . %s; "+
		`curl -c cookies -d login=ada "$DRYDOCK_URL/auth/dev"; Ctrl-C stops it`, s.gatewayURL, file)
}
