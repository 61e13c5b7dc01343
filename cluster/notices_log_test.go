package cluster

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestOwnEntriesAreBounded(t *testing.T) {
	var own ownEntries
	log := map[string]string{}
	for i := range 3000 {
		key, text := entryKey("replica", i+1), entryText([]string{fmt.Sprint("customer:cus_", i)})
		log[key] = text
		for _, dropped := range own.add(key, text) {
			delete(log, dropped)
		}
	}
	size := 0
	for key, text := range log {
		size += len(key) + len(text)
	}
	if _, newest := log["replica.3000"]; !newest || size > ownBytes || len(log) < 50 || len(log) != len(own.entries) {
		t.Errorf("%d bytes in %d entries, of which %d are known; the newest is there: %v", size, len(log), len(own.entries), newest)
	}
}

func TestEntryText(t *testing.T) {
	for _, c := range []struct {
		reason  string
		notices []string
		want    string
	}{
		{"one", []string{"a:1"}, "a:1"},
		{"some", []string{"a:1", "b:2"}, "a:1\nb:2"},
		{"too many", slices.Repeat([]string{"customer:cus_12345678901234"}, 1000), "*"},
		{"one that is two lines", []string{"a\nb"}, "*"},
	} {
		if got := entryText(c.notices); got != c.want {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestNoticeLogSince(t *testing.T) {
	log := func(uid types.UID, mark string, entries ...string) noticeLog {
		l := noticeLog{uid: uid, data: map[string]string{}}
		if mark != "" {
			l.data[keyDropped] = mark
		}
		for _, entry := range entries {
			key, text, _ := strings.Cut(entry, "=")
			l.data[key] = text
		}
		return l
	}
	for _, c := range []struct {
		reason        string
		before, now   noticeLog
		want          []string
		live, relists bool
	}{
		{"nothing new", log("1", "", "a.1=x"), log("1", "", "a.1=x"), nil, true, true},
		{"what is new, each replica's in order", log("1", "", "a.9=x"), log("1", "", "a.9=x", "a.10=y", "b.1=z", "a.11=w"), []string{"b.1", "a.10", "a.11"}, true, true},
		{"entries dropped", log("1", "m", "a.1=x", "a.2=y"), log("1", "n", "a.2=y", "a.3=z"), []string{"a.3"}, true, false},
		{"all dropped", log("1", "m", "a.1=x"), log("1", "n"), nil, true, false},
		{"the log begins", noticeLog{}, log("1", "", "a.1=x"), []string{"a.1"}, true, true},
		{"the log began, and something was dropped since", noticeLog{}, log("1", "m", "a.7=x"), []string{"a.7"}, true, false},
		{"the log is gone", log("1", "", "a.1=x"), noticeLog{}, nil, false, false},
		{"there is still no log", noticeLog{}, noticeLog{}, nil, false, false},
		{"another log", log("1", "", "a.1=x"), log("2", "", "a.1=x"), nil, false, false},
		{"entries gone without a mark", log("1", "m", "a.1=x", "a.2=y"), log("1", "m", "a.2=y"), nil, false, false},
		{"an entry written over", log("1", "m", "a.1=x"), log("1", "n", "a.1=y"), nil, false, false},
		{"a key that is no entry", log("1", "", "a.1=x"), log("1", "", "a.1=x", "log=y"), nil, false, false},
		{"a key without a number", log("1", ""), log("1", "", "a.x=y"), nil, false, false},
		{"a key that was no entry before", log("1", "", "log=y"), log("1", "", "log=y", "a.1=x"), []string{"a.1"}, true, true},
	} {
		t.Run(c.reason, func(t *testing.T) {
			added, live := c.now.since(c.before, true)
			_, relists := c.now.since(c.before, false)
			if live != c.live || relists != c.relists {
				t.Errorf("whole: %v as the next state, %v after a lost watch; want %v and %v", live, relists, c.live, c.relists)
			}
			if diff := cmp.Diff(c.want, added); live && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoticesReadAnew feeds a replica what a list tells it after a watch that could not be
// resumed: the log as it is, with whatever happened in between left out.
func TestNoticesReadAnew(t *testing.T) {
	state := func(uid types.UID, data map[string]string) []any {
		return []any{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: NoticesName, UID: uid}, Data: data}}
	}
	two := map[string]string{"r.1": "n1", "r.2": "n2"}
	four := maps.Clone(two)
	maps.Copy(four, map[string]string{"r.3": "n3", "r.4": "n4\nn5", "self.1": "own"})
	for _, c := range []struct {
		reason string
		states [][]any
		want   []string
	}{
		{"the start", [][]any{state("1", two)}, []string{"missed"}},
		{"the start without a log", [][]any{nil}, []string{"missed"}},
		{"a log begins", [][]any{nil, state("1", two)}, []string{"missed", "n1", "n2"}},
		{"nothing happened", [][]any{state("1", two), state("1", two)}, []string{"missed"}},
		{"all is still there", [][]any{state("1", two), state("1", four)}, []string{"missed", "n3", "n4", "n5"}},
		{"something was dropped", [][]any{state("1", two), state("1", map[string]string{"r.900": "n", "dropped": "m"})}, []string{"missed", "missed"}},
		{"too much for an entry", [][]any{state("1", nil), state("1", map[string]string{"r.1": "*", "r.2": "n"})}, []string{"missed", "missed", "n"}},
		{"another log", [][]any{state("1", two), state("2", two)}, []string{"missed", "missed"}},
		{"deleted, and begun anew", [][]any{state("1", two), nil, state("2", two)}, []string{"missed", "missed", "n1", "n2"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
			nowhere := "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
			if err := os.WriteFile(kubeconfig, []byte(nowhere), 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			n, err := NewNotices(NoticesOptions{Kubeconfig: kubeconfig,
				Heard:  func(notices []string) { got = append(got, notices...) },
				Missed: func() { got = append(got, "missed") },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			n.replica = "self"
			mirror := newMirror(n.contact, n.read)
			for _, state := range c.states {
				if err := mirror.Replace(state, "1"); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
