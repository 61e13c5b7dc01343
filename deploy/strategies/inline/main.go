// Inline puts shell scripts into YAML: between the lines "# begin FILE" and
// "# end FILE" of the YAML files in its working directory it writes FILE, indented
// like those lines. What was there before is replaced, so that it can run again.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var marked = regexp.MustCompile(`(?ms)^( *)# begin (\S+)\n.*?^ *# end \S+\n`)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "inline:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if text, err = inline(text, os.ReadFile); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // a source file
			return err
		}
	}
	return nil
}

func inline(yaml []byte, read func(string) ([]byte, error)) ([]byte, error) {
	var failure error
	return marked.ReplaceAllFunc(yaml, func(block []byte) []byte {
		match := marked.FindSubmatch(block)
		indent, name := string(match[1]), string(match[2])
		script, err := read(name)
		if err != nil {
			failure = err
			return block
		}
		var out strings.Builder
		fmt.Fprintf(&out, "%s# begin %s\n", indent, name)
		for line := range strings.Lines(string(script)) {
			if line != "\n" {
				out.WriteString(indent)
			}
			out.WriteString(line)
		}
		fmt.Fprintf(&out, "%s# end %s\n", indent, name)
		return []byte(out.String())
	}), failure
}
