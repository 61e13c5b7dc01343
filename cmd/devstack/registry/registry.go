// Package registry is an OCI registry on a directory, for development: what was
// pushed is there again after a restart.
package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is the registry, an http.Handler. The library keeps blobs on disk and
// manifests in memory; Registry writes manifests down as they were pushed, and
// pushes them again at the start.
type Registry struct {
	inner     http.Handler
	manifests string
	mu        sync.Mutex
}

// manifest is one successful push of a manifest.
type manifest struct {
	Path        string
	ContentType string
	Time        time.Time
	Body        []byte
}

// maxManifest is the largest manifest that a registry must take, in bytes
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests).
const maxManifest = 4 << 20

// Open opens the registry of a directory.
func Open(dir string) (*Registry, error) {
	r := &Registry{manifests: filepath.Join(dir, "manifests")}
	blobs := filepath.Join(dir, "blobs")
	for _, folder := range []string{r.manifests, blobs} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	r.inner = registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(log.New(io.Discard, "", 0)))
	return r, r.replay()
}

// ServeHTTP answers as the OCI distribution specification says.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if !strings.Contains(request.URL.Path, "/manifests/") || request.Method != http.MethodPut && request.Method != http.MethodDelete {
		r.inner.ServeHTTP(w, request)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxManifest))
	if err != nil {
		http.Error(w, "the manifest is too large", http.StatusRequestEntityTooLarge)
		return
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	m := manifest{Path: request.URL.Path, ContentType: request.Header.Get("Content-Type"), Time: time.Now(), Body: body}
	answer := httptest.NewRecorder()
	r.inner.ServeHTTP(answer, request)
	if err := r.note(request.Method, m, answer.Code); err != nil {
		http.Error(w, "the manifest could not be kept", http.StatusInternalServerError)
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
}

// note makes the directory agree with a request that was answered.
func (r *Registry) note(method string, m manifest, code int) error {
	sum := sha256.Sum256([]byte(m.Path))
	file := filepath.Join(r.manifests, hex.EncodeToString(sum[:])+".json")
	switch {
	case code >= http.StatusBadRequest:
		return nil
	case method == http.MethodDelete:
		return os.Remove(file)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// replay pushes what was pushed before, in the order of then: an index comes after
// what it lists.
func (r *Registry) replay() error {
	files, err := filepath.Glob(filepath.Join(r.manifests, "*.json"))
	if err != nil {
		return err
	}
	all := make([]manifest, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &all[i]); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	slices.SortFunc(all, func(a, b manifest) int { return a.Time.Compare(b.Time) })
	for _, m := range all {
		request := httptest.NewRequest(http.MethodPut, m.Path, bytes.NewReader(m.Body))
		request.Header.Set("Content-Type", m.ContentType)
		answer := httptest.NewRecorder()
		r.inner.ServeHTTP(answer, request)
		if answer.Code >= http.StatusBadRequest {
			return fmt.Errorf("the registry does not take %s again: %s", m.Path, answer.Body)
		}
	}
	return nil
}
