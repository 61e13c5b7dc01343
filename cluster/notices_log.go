package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// ownBytes bounds what one replica has in the log: it drops its oldest entries beyond
	// that. Each write stores the log anew and sends it to every replica.
	ownBytes = 2 << 10
	// entryBytes bounds one entry: in place of a longer one stands allChanged.
	entryBytes = ownBytes / 2
	// allChanged is the text of an entry that says that everything may have changed.
	allChanged = "*"
	// keyDropped is the key of a text that changes whenever entries are dropped. All other
	// keys are entries, see entryKey.
	keyDropped = "dropped"
)

// noticeLog is a state of the log, zero where there is no ConfigMap.
type noticeLog struct {
	uid  types.UID
	data map[string]string
}

func newNoticeLog(m *corev1.ConfigMap) noticeLog {
	if m == nil {
		return noticeLog{}
	}
	return noticeLog{uid: m.UID, data: m.Data}
}

// entryKey is the key of a replica's entry. Each replica writes keys of its own, so that
// none writes over another's.
func entryKey(replica string, number int) string { return replica + "." + strconv.Itoa(number) }

// replicaOf is who wrote an entry; not ok for a key that is not an entry's.
func replicaOf(key string) (replica string, ok bool) {
	replica, number, _ := strings.Cut(key, ".")
	n, err := strconv.Atoi(number)
	return replica, err == nil && n > 0 && replica != ""
}

// entryText is the text of an entry: a notice a line.
func entryText(notices []string) string {
	text := strings.Join(notices, "\n")
	if len(text) > entryBytes || strings.Count(text, "\n") != len(notices)-1 {
		return allChanged
	}
	return text
}

// since gives the keys of the entries that came after an earlier state, each replica's in
// order. It is not ok where other entries may have come and gone unseen: when the log was
// deleted, or changed by somebody who does not keep to its rules; and where the states
// are not known to follow each other, when entries were dropped in between.
func (l noticeLog) since(before noticeLog, following bool) (added []string, ok bool) {
	if l.uid == "" || before.uid != "" && l.uid != before.uid {
		return nil, false
	}
	dropped := l.data[keyDropped] != before.data[keyDropped]
	for key, text := range before.data {
		now, there := l.data[key]
		if key != keyDropped && (!there && !dropped || there && now != text) {
			return nil, false
		}
	}
	for key := range l.data {
		if _, known := before.data[key]; known || key == keyDropped {
			continue
		}
		if _, entry := replicaOf(key); !entry {
			return nil, false
		}
		added = append(added, key)
	}
	slices.SortFunc(added, func(a, b string) int { // numbers grow longer
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	return added, following || !dropped
}

// ownEntries are the entries that one replica has in the log, oldest first.
type ownEntries struct {
	entries []ownEntry
	bytes   int
}

type ownEntry struct {
	key   string
	bytes int
}

// add adds an entry and gives the keys of those that are to be dropped for it.
func (o *ownEntries) add(key, text string) (dropped []string) {
	o.entries = append(o.entries, ownEntry{key: key, bytes: len(key) + len(text)})
	for o.bytes += len(key) + len(text); o.bytes > ownBytes; o.entries = o.entries[1:] {
		dropped = append(dropped, o.entries[0].key)
		o.bytes -= o.entries[0].bytes
	}
	return dropped
}

// entries are the keys of all entries.
func (l noticeLog) entries() []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(l.data)), func(key string) bool { return key == keyDropped })
}
