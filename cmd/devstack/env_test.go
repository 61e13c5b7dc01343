package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEnvironment has a real shell read the file.
func TestEnvironment(t *testing.T) {
	for _, c := range []struct{ reason, value string }{
		{"a plain value", "http://127.0.0.1:8080"},
		{"a path with spaces", "/home/ada lovelace/.devstack"},
		{"quotes, dollars and backticks stay what they are", "it's $HOME `id` \"x\""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			var env environment
			env.set("VALUE", quote(c.value))
			file := filepath.Join(t.TempDir(), "it's env")
			if err := env.write(file); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$1"; sh -c 'printf %s "$VALUE"'`, "sh", file).CombinedOutput()
			if err != nil || string(out) != c.value {
				t.Errorf("the shell read %q, %v; want %q", out, err, c.value)
			}
		})
	}
}
