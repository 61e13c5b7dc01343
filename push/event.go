package push

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"time"

	"drydock.dev/drydock/fault"
)

var (
	// pinned is a commit's full name, which is no branch or tag.
	pinned = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	// none is the commit of what is not there.
	none = regexp.MustCompile(`^0+$`)
)

// event is what of a push event matters here.
type event struct {
	Ref     string `json:"ref"`
	After   string `json:"after"`
	Deleted bool   `json:"deleted"`
	Head    *struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	} `json:"head_commit"`
	Pusher struct {
		Name string `json:"name"`
	} `json:"pusher"`
	Repository struct {
		CloneURL string `json:"clone_url"`
		SSHURL   string `json:"ssh_url"`
		GitURL   string `json:"git_url"`
		HTMLURL  string `json:"html_url"`
		// PushedAt is in seconds since 1970 in a push event; others may send a text.
		PushedAt any `json:"pushed_at"`
	} `json:"repository"`
}

// parse reads a delivery's body: JSON, or a form with JSON in its field payload.
func parse(contentType string, body []byte) (*event, error) {
	if media, _, _ := mime.ParseMediaType(contentType); media == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fault.New(fault.BadUserInput, "The body is not a form.")
		}
		body = []byte(form.Get("payload"))
	}
	e := &event{}
	if json.Unmarshal(body, e) != nil || !strings.HasPrefix(e.Ref, "refs/") {
		return nil, fault.New(fault.BadUserInput, "The body is not a push event.")
	}
	return e, nil
}

// commit is what was pushed, "" where nothing is left. An annotated tag is an object of
// its own, whose commit is the head.
func (e *event) commit() string {
	commit := e.After
	if e.Head != nil {
		commit = e.Head.ID
	}
	if !pinned.MatchString(commit) || none.MatchString(commit) {
		return ""
	}
	return commit
}

// moves tells whether the push was to a branch or a tag of that name, short or full.
func (e *event) moves(ref string) bool {
	return e.Ref == "refs/heads/"+ref || e.Ref == "refs/tags/"+ref || e.Ref == ref
}

// time is when it was pushed; zero where the event does not tell.
func (e *event) time() time.Time {
	switch at := e.Repository.PushedAt.(type) {
	case float64:
		if at > 0 && at < farthest {
			return time.Unix(int64(at), 0)
		}
	case string:
		if parsed, err := time.Parse(time.RFC3339, at); err == nil && parsed.Unix() > 0 {
			return parsed
		}
	}
	return time.Time{}
}

// farthest is the end of the year 9999, beyond which no Build can tell a time.
const farthest = 253402300800

// of tells whether the push was to the repository of a clone URL.
func (e *event) of(repository string) bool {
	want := place(repository)
	for _, address := range []string{e.Repository.CloneURL, e.Repository.SSHURL, e.Repository.GitURL, e.Repository.HTMLURL} {
		if address != "" && place(address) == want {
			return true
		}
	}
	return false
}

// String says it in a line for people.
func (e *event) String() string {
	title := ""
	if e.Head != nil {
		title, _, _ = strings.Cut(e.Head.Message, "\n")
	}
	short := strings.TrimPrefix(strings.TrimPrefix(e.Ref, "refs/heads/"), "refs/tags/")
	words := fmt.Sprintf("%s pushed to %s", e.Pusher.Name, short)
	if e.Pusher.Name == "" {
		words = "push to " + short
	}
	if title == "" {
		return words
	}
	return words + ": " + title
}

// usualPorts go without saying.
var usualPorts = map[string]string{"https": "443", "http": "80", "ssh": "22", "git": "9418"}

// place is host[:port]/path of a clone URL, however it is written: hosting services do not
// tell repositories apart by case.
func place(repository string) string {
	if !strings.Contains(repository, "://") { // git@host:path
		host, path, _ := strings.Cut(repository, ":")
		repository = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	at, err := url.Parse(repository)
	if err != nil {
		return ""
	}
	host := at.Hostname()
	if port := at.Port(); port != "" && port != usualPorts[at.Scheme] {
		host += ":" + port
	}
	return strings.ToLower(host + "/" + strings.TrimSuffix(strings.Trim(at.Path, "/"), ".git"))
}
