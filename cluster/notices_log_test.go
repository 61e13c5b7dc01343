package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logOf is a log with so many entries of one notice each.
func logOf(id string, entries int) noticeLog {
	log := noticeLog{id: id}
	for i := range entries {
		log = log.with("r1", []string{fmt.Sprint("n", i+1)})
	}
	return log
}

func TestNoticeLogKeepsTheNewest(t *testing.T) {
	log := logOf("a", 0)
	for i := range 300 {
		log = log.with("r1", []string{fmt.Sprint("customer:cus_", i)})
		var err error
		if log, err = parseLog(log.data()); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, text := range log.data() {
		size += len(text)
	}
	if last := log.entries[len(log.entries)-1]; size > logBytes+100 || len(log.entries) < 100 || last.Sequence != 300 || last.Notices[0] != "customer:cus_299" {
		t.Errorf("%d bytes, %d entries, the last is %+v", size, len(log.entries), last)
	}
}

func TestNoticeLogBoundsAnEntry(t *testing.T) {
	log := logOf("a", 1).with("r2", slices.Repeat([]string{"customer:cus_12345678901234"}, 1000))
	read, err := parseLog(log.data())
	if err != nil {
		t.Fatal(err)
	}
	want := []noticeEntry{{Sequence: 1, From: "r1", Notices: []string{"n1"}}, {Sequence: 2, From: "r2", All: true}}
	if diff := cmp.Diff(want, read.entries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoticeLogSince(t *testing.T) {
	newest := logOf("a", 1000)
	newest, err := parseLog(newest.data())
	if err != nil {
		t.Fatal(err)
	}
	oldest := newest.entries[0].Sequence
	for _, c := range []struct {
		reason string
		log    noticeLog
		at     noticePosition
		want   []int64
		ok     bool
	}{
		{"nothing new", logOf("a", 3), noticePosition{"a", 3}, nil, true},
		{"what is new", logOf("a", 3), noticePosition{"a", 1}, []int64{2, 3}, true},
		{"a log that was empty", logOf("a", 2), noticePosition{"a", 0}, []int64{1, 2}, true},
		{"an empty log after none", logOf("a", 0), noticePosition{}, nil, true},
		{"a log's begin after none", logOf("a", 2), noticePosition{}, []int64{1, 2}, true},
		{"a log after none whose begin it no longer holds", newest, noticePosition{}, nil, false},
		{"another log", logOf("b", 3), noticePosition{"a", 1}, nil, false},
		{"a log set back, as from a backup", logOf("a", 3), noticePosition{"a", 5}, nil, false},
		{"just within what it holds", newest, noticePosition{"a", oldest - 1}, nil, true},
		{"more than it holds", newest, noticePosition{"a", oldest - 2}, nil, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			entries, ok := c.log.since(c.at)
			var got []int64
			for _, e := range entries {
				got = append(got, e.Sequence)
			}
			if ok != c.ok || c.want != nil && !slices.Equal(got, c.want) || ok && int64(len(got)) != c.log.last()-c.at.last {
				t.Errorf("got %v %v, want %v %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestParseLogRefuses(t *testing.T) {
	for _, c := range []struct {
		reason string
		data   map[string]string
		says   string
	}{
		{"nothing", nil, "no identity"},
		{"something else", map[string]string{"key": "value"}, "no identity"},
		{"no JSON", map[string]string{keyLog: "a", keyEntries: "nonsense\n"}, "invalid character"},
		{"half a line", map[string]string{keyLog: "a", keyEntries: `{"sequence":1,"fr`}, "unexpected end"},
		{"a gap", map[string]string{keyLog: "a", keyEntries: "{\"sequence\":1}\n{\"sequence\":3}\n"}, "3 comes after 1"},
		{"no number", map[string]string{keyLog: "a", keyEntries: "{}\n"}, "0 comes after 0"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			if _, err := parseLog(c.data); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// TestNoticesReadAnew feeds a replica what a list tells it after a watch that could not be
// resumed: the log as it is, with whatever happened in between left out.
func TestNoticesReadAnew(t *testing.T) {
	long, err := parseLog(logOf("a", 1000).data())
	if err != nil {
		t.Fatal(err)
	}
	listed := func(log noticeLog) []any {
		return []any{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: NoticesName, ResourceVersion: "1"}, Data: log.data()}}
	}
	for _, c := range []struct {
		reason string
		states [][]any
		want   []string
	}{
		{"the start", [][]any{listed(logOf("a", 2))}, []string{"missed"}},
		{"the start without a log", [][]any{nil}, []string{"missed"}},
		{"a log begins", [][]any{nil, listed(logOf("a", 2))}, []string{"missed", "n1", "n2"}},
		{"a log began long ago", [][]any{nil, listed(long)}, []string{"missed", "missed"}},
		{"nothing happened", [][]any{listed(logOf("a", 2)), listed(logOf("a", 2))}, []string{"missed"}},
		{"less than the log holds", [][]any{listed(logOf("a", 2)), listed(logOf("a", 4))}, []string{"missed", "n3", "n4"}},
		{"more than the log holds", [][]any{listed(logOf("a", 2)), listed(long)}, []string{"missed", "missed"}},
		{"another log", [][]any{listed(logOf("a", 2)), listed(logOf("b", 3))}, []string{"missed", "missed"}},
		{"deleted, and again", [][]any{listed(logOf("a", 2)), nil, nil}, []string{"missed", "missed", "missed"}},
		{"deleted and begun anew", [][]any{listed(logOf("a", 2)), nil, listed(logOf("b", 1))}, []string{"missed", "missed", "n1"}},
		{"an entry of its own", [][]any{listed(logOf("a", 0)), listed(logOf("a", 0).with("self", []string{"own"}).with("r1", []string{"n"}))}, []string{"missed", "n"}},
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
			n.from = "self"
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
