package push

import (
	"net/url"
	"strings"
	"testing"
)

const (
	commit = "1111111111111111111111111111111111111111"
	object = "2222222222222222222222222222222222222222"
	zero   = "0000000000000000000000000000000000000000"
)

// TestParse holds what is read of a push event, in both of GitHub's content types.
func TestParse(t *testing.T) {
	branch := `{"ref":"refs/heads/main","after":"` + commit + `","head_commit":{"id":"` + commit + `","message":"Fix it\n\nAll."},"pusher":{"name":"ada"},"repository":{"pushed_at":1700000000}}`
	for _, test := range []struct {
		reason, media, body, commit, words string
		at                                 int64
		legal                              bool
	}{
		{"JSON", "application/json", branch, commit, "ada pushed to main: Fix it", 1700000000, true},
		{"a form", "application/x-www-form-urlencoded; charset=utf-8", "payload=" + url.QueryEscape(branch), commit, "ada pushed to main: Fix it", 1700000000, true},
		{"an annotated tag is another object than its commit", "application/json",
			`{"ref":"refs/tags/v1","after":"` + object + `","head_commit":{"id":"` + commit + `"}}`, commit, "push to v1", -62135596800, true},
		{"a time as text", "application/json", `{"ref":"refs/heads/x","after":"` + commit + `","repository":{"pushed_at":"2023-11-14T22:13:20Z"}}`, commit, "push to x", 1700000000, true},
		{"a time that is none", "application/json", `{"ref":"refs/heads/x","after":"` + commit + `","repository":{"pushed_at":999999999999}}`, commit, "push to x", -62135596800, true},
		{"a deleted branch", "application/json", `{"ref":"refs/heads/x","after":"` + zero + `","deleted":true,"head_commit":null}`, "", "push to x", -62135596800, true},
		{"a commit that is none", "application/json", `{"ref":"refs/heads/x","after":"$(reboot)"}`, "", "push to x", -62135596800, true},
		{"no JSON", "application/json", `payload=x`, "", "", 0, false},
		{"no form", "application/x-www-form-urlencoded", `%zz`, "", "", 0, false},
		{"another event", "application/json", `{"zen":"x"}`, "", "", 0, false},
		{"a list", "application/json", `[]`, "", "", 0, false},
	} {
		e, err := parse(test.media, []byte(test.body))
		if (err == nil) != test.legal {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		if err == nil && (e.commit() != test.commit || e.String() != test.words || e.time().Unix() != test.at) {
			t.Errorf("%s: commit %q, %q, %d", test.reason, e.commit(), e, e.time().Unix())
		}
	}
}

// TestOf holds that one repository is known however its address is written, and no other.
func TestOf(t *testing.T) {
	e := &event{}
	e.Repository.CloneURL, e.Repository.SSHURL = "https://github.com/Ada/App.git", "git@github.com:Ada/App.git"
	for repository, want := range map[string]bool{
		"https://github.com/ada/app":              true,
		"https://ada@github.com/Ada/App.git":      true,
		"https://github.com:443/ada/app.git/":     true,
		"git@github.com:ada/app.git":              true,
		"ssh://git@github.com:22/ada/app.git":     true,
		"https://github.com/ada/app2.git":         false,
		"https://github.com/mallory/app.git":      false,
		"https://github.com.evil.example/ada/app": false,
		"https://github.com:8443/ada/app.git":     false,
		"":                                        false,
	} {
		if e.of(repository) != want {
			t.Errorf("%s: %t, want %t", repository, !want, want)
		}
	}
	if (&event{}).of("https://github.com/ada/app") {
		t.Error("an event that names no repository is of one")
	}
}

// TestMoves holds which pushes concern an image's ref.
func TestMoves(t *testing.T) {
	for _, test := range []struct {
		pushed, ref string
		want        bool
	}{
		{"refs/heads/main", "main", true},
		{"refs/heads/feature/x", "feature/x", true},
		{"refs/tags/v1", "v1", true},
		{"refs/heads/main", "refs/heads/main", true},
		{"refs/tags/main", "refs/heads/main", false},
		{"refs/heads/main2", "main", false},
		{"refs/heads/x/main", "main", false},
		{"refs/notes/main", "main", false},
	} {
		if (&event{Ref: test.pushed}).moves(test.ref) != test.want {
			t.Errorf("a push to %s moves %s: %t", test.pushed, test.ref, !test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("application/json", []byte(`{"ref":"refs/heads/main","after":"`+commit+`","repository":{"clone_url":"https://h/p","pushed_at":1}}`))
	f.Add("application/x-www-form-urlencoded", []byte(`payload=%7B%22ref%22%3A%22refs%2F%22%7D`))
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		e, err := parse(media, body)
		if err != nil {
			return
		}
		if c := e.commit(); c != "" && strings.Trim(c, "0123456789abcdef") != "" {
			t.Errorf("%q is taken for a commit", c)
		}
		_, _, _, _ = e.String(), e.time(), e.moves("main"), e.of("https://h/p")
	})
}
