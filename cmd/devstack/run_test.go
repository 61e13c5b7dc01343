package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait for something that must happen.
const patience = 3 * time.Minute

// TestParts runs what lives in the process: what is written down comes back in the
// next run, at the same addresses.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	first := running(t, dir, "stripe,github,registry,git")
	customer := createCustomer(t, first.env["STRIPE_API_BASE"], first.env["STRIPE_SECRET_KEY"])
	get(t, first.env["SAMPLE_REPOSITORY"]+"/info/refs?service=git-upload-pack", "")
	get(t, "http://"+first.env["REGISTRY_HOST"]+"/v2/", "")
	get(t, first.env["GITHUB_URL"]+"/", "")
	first.end(t)

	second := running(t, dir, "stripe,github,registry,git")
	for name, value := range first.env {
		if second.env[name] != value {
			t.Errorf("%s was %q and is %q", name, value, second.env[name])
		}
	}
	get(t, second.env["STRIPE_API_BASE"]+"/v1/customers/"+customer, second.env["STRIPE_SECRET_KEY"])
	second.end(t)
}

// TestLock refuses a second devstack on the same directory: it would spoil the state.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	first := running(t, dir, "registry")
	defer first.end(t)
	err := run(t.Context(), options{dir: dir, only: []string{"registry"}}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "another devstack runs on") {
		t.Errorf("error %v", err)
	}
}

// TestPartEnds: a part that ends by itself ends everything, and is named.
func TestPartEnds(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{
		"at once":      "#!/bin/sh\necho no room >&2\nexit 3\n",
		"after a time": "#!/bin/sh\necho kubestack ready\nsleep 0.2\nexit 3\n",
	} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "kubestack"), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := run(ctx, options{dir: dir, bin: bin, only: []string{"stripe", "kube"}}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), "kube") {
				t.Errorf("error %v, want one that names kube", err)
			}
		})
	}
}

// one is a devstack that runs in this process.
type one struct {
	env    map[string]string
	cancel context.CancelFunc
	ended  chan error
}

func (o *one) end(t *testing.T) {
	t.Helper()
	o.cancel()
	select {
	case err := <-o.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
}

func running(t *testing.T, dir, only string) *one {
	t.Helper()
	return start(t, options{dir: dir, only: strings.Split(only, ",")})
}

// start starts parts and waits for the line that says they are ready.
func start(t *testing.T, o options) *one {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &one{env: map[string]string{}, cancel: cancel, ended: make(chan error, 1)}
	ready := make(chan struct{})
	stdout := &watcher{to: t.Output(), text: []byte("| ready: "), seen: sync.OnceFunc(func() { close(ready) })}
	go func() { r.ended <- run(ctx, o, stdout) }()
	select {
	case <-ready:
	case err := <-r.ended:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("it was not ready in time")
	}
	text, err := os.ReadFile(filepath.Join(o.dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); found {
			r.env[name] = strings.Trim(value, "'")
		}
	}
	return r
}

func createCustomer(t *testing.T, base, key string) (id string) {
	t.Helper()
	body := request(t, http.MethodPost, base+"/v1/customers", key)
	var customer struct{ ID string }
	if err := json.Unmarshal(body, &customer); err != nil || customer.ID == "" {
		t.Fatalf("no customer: %v: %s", err, body)
	}
	return customer.ID
}

func get(t *testing.T, url, key string) {
	t.Helper()
	request(t, http.MethodGet, url, key)
}

func request(t *testing.T, method, url, key string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(key, "")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s, %v: %s", method, url, response.Status, err, &body)
	}
	return body.Bytes()
}
