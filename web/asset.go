package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

const (
	forEver = "public, max-age=31536000, immutable"
	asked   = "no-cache" // kept, but asked for again each time
)

// asset is one file of a page, held in memory.
type asset struct {
	contentType string
	cache       string
	etag        string
	policy      string // Content-Security-Policy; pages and workers carry one
	body        []byte
	zipped      func() []byte // gzip, made when first asked for; nil when it would gain nothing
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	a := &asset{
		contentType: contentType(name),
		cache:       asked,
		etag:        `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		body:        body,
	}
	if len(body) > 1024 {
		a.zipped = sync.OnceValue(func() []byte { return zip(body) })
	}
	return a
}

// assets reads every file below dir, by its path relative to it.
func assets(files fs.FS, dir string) (map[string]*asset, error) {
	found := map[string]*asset{}
	err := fs.WalkDir(files, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		found[strings.TrimPrefix(name, dir+"/")] = newAsset(name, body)
		return nil
	})
	return found, err
}

func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page is read with GET", http.StatusMethodNotAllowed)
		return
	}
	head := w.Header()
	head.Set("Cache-Control", a.cache)
	head.Set("ETag", a.etag)
	head.Set("X-Content-Type-Options", "nosniff")
	if a.policy != "" {
		head.Set("Content-Security-Policy", a.policy)
	}
	if a.zipped != nil {
		head.Set("Vary", "Accept-Encoding")
	}
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", a.contentType)
	body := a.body
	if a.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		head.Set("Content-Encoding", "gzip")
		body = a.zipped()
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the browser went away: nobody is left to tell
}

func zip(body []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write(body) // a bytes.Buffer takes everything
	_ = writer.Close()
	return buffer.Bytes()
}

// contentType does not ask the machine's MIME tables: they differ from host to host.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".ttf":
		return "font/ttf"
	}
	if known := mime.TypeByExtension(path.Ext(name)); known != "" {
		return known
	}
	return "application/octet-stream"
}
