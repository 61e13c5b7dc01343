package billingtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed pages.html
var pagesText string

var pages = template.Must(template.New("").Parse(pagesText))

// page is what a template shows.
type page struct {
	name, Title, Alert string
	status             int
	// redirect goes elsewhere instead.
	redirect string

	Lines      []line
	Due, Email string
	Trial      string
	CanCancel  bool

	Subscriptions []shownSubscription
	ReturnURL     string
}

type line struct{ Name, Price string }

type shownSubscription struct {
	ID, Name, Status, PeriodEnd string
	Ends                        bool
}

// origin is where a client reached the stand-in.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// isPage tells a path that people open from one of the API's.
func isPage(path string) bool {
	return strings.HasPrefix(path, "/c/pay/") || strings.HasPrefix(path, "/p/session/")
}

// page serves Checkout's page and the customer portal's.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	for pattern, show := range map[string]func(*call, func(string) string) *page{
		"GET /c/pay/{id}": (*call).showCheckout, "POST /c/pay/{id}": (*call).submitCheckout,
		"GET /p/session/{id}": (*call).showPortal, "POST /p/session/{id}": (*call).submitPortal,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
			if err := r.ParseForm(); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			s.mu.Lock()
			now := s.options.Now()
			shown := show(&call{server: s, id: r.PathValue("id"), at: now, now: now.Unix(), origin: origin(r)}, r.PostForm.Get)
			s.dirty = true
			s.mu.Unlock()
			shown.write(w, r)
		})
	}
	mux.ServeHTTP(w, r)
}

func (p *page) write(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if p.redirect != "" {
		http.Redirect(w, r, p.redirect, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_ = pages.ExecuteTemplate(w, p.name, p)
}

// message is a page that says one thing.
func message(status int, title, words string) *page {
	return &page{name: "message", status: status, Title: title, Alert: words}
}

// money writes an amount of a currency's smallest unit.
func money(amount int64, currency string) string {
	return fmt.Sprintf("%s %d.%02d", strings.ToUpper(currency), amount/100, amount%100)
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2 January 2006") }
