package browser_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestClose holds that a browser leaves nothing behind: no process, no file.
func TestClose(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx := within(t)
	b, err := browser.Launch(ctx, "driver")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Visit(ctx); err != nil {
		t.Error(err)
	}
	started := descendants(t, os.Getpid())
	if err := b.Close(ctx); err != nil {
		t.Error(err)
	}
	awaitEnd(ctx, t, started)
	if left, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(left) > 0 {
		t.Errorf("there are left %q (%v)", left, err)
	}
}

// visitForever is set in the process that TestKilled kills.
const visitForever = "BROWSER_VISIT_FOREVER"

// TestKilled holds that browsers end with the process that uses them, however that ends.
func TestKilled(t *testing.T) {
	ctx := within(t)
	if os.Getenv(visitForever) != "" {
		b, err := browser.Launch(ctx, "driver")
		if err != nil {
			t.Fatal(err)
		}
		visit(t, b, serve(t)+"/steps.html")
		_, _ = os.Stdout.WriteString("visiting\n")
		<-ctx.Done()
		return
	}
	user := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilled$")
	user.Env = append(os.Environ(), visitForever+"=1", "TMPDIR="+t.TempDir())
	out, err := user.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := user.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("visiting"))
	_, reading := io.ReadFull(out, first)
	started := descendants(t, user.Process.Pid)
	_ = user.Process.Kill()
	_ = user.Wait() // tells that it was killed
	if string(first) != "visiting" {
		t.Fatalf("the process said %q (%v)", first, reading)
	}
	awaitEnd(ctx, t, started)
}
