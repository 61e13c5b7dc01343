package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		reason string
		args   []string
		// problem is a part of the error; empty for none.
		problem string
	}{
		{"nothing said runs everything", nil, ""},
		{"a client of the parts needs no gateway", []string{"--only", "kube,stripe,registry,git"}, ""},
		{"an unknown part is named, with those there are", []string{"--only", "kube,postgres"}, `no part "postgres"; the parts are stripe, github`},
		{"a part cannot run without what it needs", []string{"--only", "controller,kube"}, "controller needs stripe"},
		{"an unknown flag is named", []string{"--prot", "1"}, "-prot"},
		{"a word too many is named", []string{"now"}, `unexpected argument "now"`},
	} {
		t.Run(c.reason, func(t *testing.T) {
			_, err := parse(c.args, io.Discard)
			switch {
			case c.problem == "" && err != nil:
				t.Fatal(err)
			case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
				t.Errorf("error %v, want one with %q", err, c.problem)
			case err != nil && strings.Contains(err.Error(), "\n"):
				t.Errorf("more than one line: %v", err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, name := range []string{"-dir", "-bin", "-listen", "-only"} {
		if !strings.Contains(help.String(), name) {
			t.Errorf("the help does not tell of %s:\n%s", name, &help)
		}
	}
}
