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
	"strconv"
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
	hash        string
	policy      string // Content-Security-Policy; pages and workers carry one
	body        []byte
	brotli      []byte        // made with the page's build; nil for what was not
	zipped      func() []byte // gzip, where not made with the build made when first asked for; nil for what is short
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	a := &asset{
		contentType: contentType(name),
		cache:       asked,
		hash:        base64.RawURLEncoding.EncodeToString(sum[:12]),
		body:        body,
	}
	if len(body) > 1024 {
		a.zipped = sync.OnceValue(func() []byte { return zip(body) })
	}
	return a
}

// assets reads every file below dir, by its path relative to it. A compressed copy beside a file, .br or .gz, is part of it.
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
	for name, copied := range found {
		switch original := found[strings.TrimSuffix(name, path.Ext(name))]; {
		case original == nil:
			continue
		case path.Ext(name) == ".br":
			original.brotli = copied.body
		case path.Ext(name) == ".gz":
			original.zipped = func() []byte { return copied.body }
		default:
			continue
		}
		delete(found, name)
	}
	return found, err
}

// site reads the pages that were built into dir: index.html, which tells the ways to sign in, and its hashed assets. All carry
// the policy: workers take that of their own response.
func site(files fs.FS, dir, policy string, offer SignIn) (map[string]*asset, error) {
	found, err := assets(files, dir)
	if err != nil {
		return nil, err
	}
	for name, file := range found {
		file.policy = policy
		if strings.HasPrefix(name, "assets/") {
			file.cache = forEver
		}
	}
	if index, built := found["index.html"]; built {
		found["index.html"] = index.offering(offer)
	}
	return found, nil
}

// offering is the page with the ways to sign in written into it.
func (a *asset) offering(offer SignIn) *asset {
	const place = `<meta name="drydock-sign-in" content="`
	text := strings.Replace(string(a.body), place, place+offer.ways(), 1)
	page := newAsset("index.html", []byte(text))
	page.policy = a.policy
	return page
}

func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page is read with GET", http.StatusMethodNotAllowed)
		return
	}
	coding, body := a.encoded(r.Header.Values("Accept-Encoding"))
	etag := `"` + a.hash + coding + `"` // each coding is another representation: RFC 9110, 8.8.3.3
	head := w.Header()
	head.Set("Cache-Control", a.cache)
	head.Set("ETag", etag)
	head.Set("X-Content-Type-Options", "nosniff")
	if a.policy != "" {
		head.Set("Content-Security-Policy", a.policy)
	}
	if a.zipped != nil || a.brotli != nil {
		head.Set("Vary", "Accept-Encoding")
	}
	if has(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", a.contentType)
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if coding != "" {
		head.Set("Content-Encoding", coding)
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the browser went away: nobody is left to tell
}

// encoded is the body in the best coding that the client takes, and the coding's name; plain has none.
func (a *asset) encoded(accepted []string) (coding string, body []byte) {
	if a.brotli != nil && has(accepted, "br") {
		return "br", a.brotli
	}
	if a.zipped != nil && has(accepted, "gzip") {
		return "gzip", a.zipped()
	}
	return "", a.body
}

// has tells whether a header's list has a coding that is not refused by a weight of 0, or an entity tag, weak or strong
// (RFC 9110, 12.5.3 and 13.1.2).
func has(lists []string, wanted string) bool {
	for _, list := range lists {
		for each := range strings.SplitSeq(list, ",") {
			name, weight, _ := strings.Cut(each, ";")
			weight = strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			refused := weight != "" && strings.Trim(weight, "0.") == ""
			if name = strings.TrimSpace(name); name == wanted || strings.TrimPrefix(name, "W/") == wanted {
				return !refused
			}
		}
	}
	return false
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
	case ".svg":
		return "image/svg+xml"
	case ".ttf":
		return "font/ttf"
	case ".woff2":
		return "font/woff2"
	}
	if known := mime.TypeByExtension(path.Ext(name)); known != "" {
		return known
	}
	return "application/octet-stream"
}
