package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// process is one of this machine's, told from a later one of the same number by its start.
type process struct{ pid, parent, start string }

// running are all processes but those that have ended and whose parents have not asked how (proc_pid_stat(5)).
func running(t *testing.T) (all []process) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		behindName := strings.LastIndexByte(string(text), ')') + 1
		if fields := strings.Fields(string(text[behindName:])); len(fields) > 19 && fields[0] != "Z" {
			all = append(all, process{pid: filepath.Base(filepath.Dir(name)), parent: fields[1], start: fields[19]})
		}
	}
	return all
}

// descendants are the processes that a process started, theirs too.
func descendants(t *testing.T, pid int) (all []process) {
	t.Helper()
	children := map[string][]process{}
	for _, p := range running(t) {
		children[p.parent] = append(children[p.parent], p)
	}
	all = children[strconv.Itoa(pid)]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
	}
	if len(all) < 3 { // the driver, Chromium, the page
		t.Errorf("the processes %v are too few to be a browser", all)
	}
	return all
}

// awaitEnd waits until none of the processes runs, whoever their parent is now.
func awaitEnd(ctx context.Context, t *testing.T, started []process) {
	t.Helper()
	for {
		left := map[process]bool{}
		for _, p := range running(t) {
			for _, s := range started {
				if p.pid == s.pid && p.start == s.start {
					left[p] = true
				}
			}
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("processes are left: %v", left)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
