package cluster

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// logBytes bounds the log's entries. Each write stores all of them anew and sends them
	// to every replica; a replica that misses more than this holds drops all it knows.
	logBytes = 16 << 10
	// entryBytes bounds one entry: a longer one says that everything changed.
	entryBytes = logBytes / 4
	// newestEntries are those that tell who writes at present.
	newestEntries = 16
)

// The log's keys in the ConfigMap.
const (
	keyLog     = "log"     // the log's identity: a log that was begun anew has another one
	keyEntries = "entries" // one entry a line, oldest first, numbered without a gap
)

// noticeLog is what the ConfigMap holds.
type noticeLog struct {
	id      string
	entries []noticeEntry
}

// noticeEntry is one announcement.
type noticeEntry struct {
	Sequence int64 `json:"sequence"`
	// From is the replica that made it.
	From    string   `json:"from"`
	Notices []string `json:"notices,omitempty"`
	// All is there in place of notices that were too many: everything may have changed.
	All bool `json:"all,omitempty"`
}

func newNoticeLog() noticeLog { return noticeLog{id: rand.Text()[:10]} }

// parseLog reads a ConfigMap's data. What is no log, or has gaps, is an error.
func parseLog(data map[string]string) (noticeLog, error) {
	log := noticeLog{id: data[keyLog]}
	if log.id == "" {
		return log, errors.New("the log has no identity")
	}
	for line := range strings.Lines(data[keyEntries]) {
		var e noticeEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return log, fmt.Errorf("the log's entries: %w", err)
		}
		if e.Sequence < 1 || len(log.entries) > 0 && e.Sequence != log.last()+1 {
			return log, fmt.Errorf("the log's entries: %d comes after %d", e.Sequence, log.last())
		}
		log.entries = append(log.entries, e)
	}
	return log, nil
}

// data is what parseLog reads: the newest entries that are within the bound.
func (l noticeLog) data() map[string]string {
	var lines []string
	size := 0
	for _, e := range slices.Backward(l.entries) {
		line := e.line()
		if size += len(line); size > logBytes {
			break
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return map[string]string{keyLog: l.id, keyEntries: strings.Join(lines, "")}
}

func (e noticeEntry) line() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers
	}
	return string(text) + "\n"
}

// with is the log and one more entry.
func (l noticeLog) with(from string, notices []string) noticeLog {
	e := noticeEntry{Sequence: l.last() + 1, From: from, Notices: notices}
	if len(e.line()) > entryBytes {
		e.Notices, e.All = nil, true
	}
	l.entries = append(slices.Clone(l.entries), e)
	return l
}

// last is the newest entry's number, 0 where there is none yet.
func (l noticeLog) last() int64 {
	if len(l.entries) == 0 {
		return 0
	}
	return l.entries[len(l.entries)-1].Sequence
}

// writers is how many replicas the newest entries are from.
func (l noticeLog) writers() int {
	seen := map[string]bool{}
	for _, e := range l.entries[max(0, len(l.entries)-newestEntries):] {
		seen[e.From] = true
	}
	return max(1, len(seen))
}

// noticePosition is how far a replica has read: which log, and its last entry. Zero means
// that it knows of no log, and has dropped all it knew.
type noticePosition struct {
	log  string
	last int64
}

// since gives the entries beyond a position; not ok where some of them may be lost.
func (l noticeLog) since(at noticePosition) (entries []noticeEntry, ok bool) {
	if at.log != "" && at.log != l.id || l.last() < at.last {
		return nil, false
	}
	first := l.last() - int64(len(l.entries)) + 1
	if first > at.last+1 {
		return nil, false
	}
	return l.entries[at.last+1-first:], true
}
