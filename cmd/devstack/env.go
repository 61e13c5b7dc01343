package main

import (
	"os"
	"strings"
)

// environment is what other programs need to join in.
type environment []struct{ name, value string }

func (e *environment) set(name, value string) {
	*e = append(*e, struct{ name, value string }{name, value})
}

// write writes a file for the shell's dot command (POSIX sh).
func (e environment) write(file string) error {
	var text strings.Builder
	text.WriteString("# Written by devstack; read it with: . " + quote(file) + "\n")
	for _, v := range e {
		text.WriteString("export " + v.name + "=" + v.value + "\n")
	}
	if err := os.WriteFile(file+".new", []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// quote makes a shell word of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
