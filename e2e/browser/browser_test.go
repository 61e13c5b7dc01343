package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// patience is for what takes a second on a machine that has nothing else to do.
const patience = 2 * time.Minute

// launch starts a browser until the test's end.
func launch(ctx context.Context, t *testing.T) *browser.Browser {
	t.Helper()
	b, err := browser.Launch(ctx, "driver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

// visit opens a page, and serves the files of testdata as strictly as the gateway serves its own.
func visit(ctx context.Context, t *testing.T) (page *browser.Page, url string) {
	t.Helper()
	files := http.FileServer(http.Dir("testdata"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" { // asked for by the browser itself
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	page, err := launch(ctx, t).Visit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return page, server.URL
}

// TestClose holds that a browser leaves nothing behind: no process, no file.
func TestClose(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if os.Getenv(visitForever) != "" {
		page, url := visit(ctx, t)
		_ = page.Do(ctx, browser.Open(url+"/steps.html"))
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
