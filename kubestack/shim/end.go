package shim

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// endAll kills the command's process group and every descendant of this process. As process 1 of a namespace the shim's own
// exit does that too; elsewhere orphans have become its children (subreaper), so nothing is missed.
func endAll(command int) {
	_ = unix.Kill(-command, unix.SIGKILL)
	for range 100 { // a fork may be ahead of the walk: again until nothing is left
		found := Descendants(os.Getpid())
		if len(found) == 0 {
			return
		}
		for _, pid := range found {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != nil || pid <= 0 {
				break
			}
		}
	}
}

// Descendants returns the ids of all processes below pid, children first seen first, dead ones included until they are reaped.
func Descendants(pid int) []int {
	var found []int
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*/children"))
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread is gone
		}
		for field := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				found = append(found, child)
				found = append(found, Descendants(child)...)
			}
		}
	}
	return found
}
