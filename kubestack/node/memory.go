package node

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"drydock.dev/drydock/kubestack/shim"
)

const memoryInterval = 100 * time.Millisecond

// watchMemory kills the process when it and its descendants hold more than limit bytes (0: no limit). The returned function,
// called after the process has ended, says whether that was so.
func watchMemory(process *shim.Process, limit int64) (exceeded func() bool) {
	if limit <= 0 {
		return func() bool { return false }
	}
	result := make(chan bool, 1)
	go func() {
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			select {
			case <-process.Ended():
				result <- false
				return
			case <-ticker.C:
			}
			if memoryOf(shim.Descendants(process.Pid)) > limit {
				process.Kill()
				result <- true
				return
			}
		}
	}()
	return func() bool { return <-result }
}

// memoryOf is what a cgroup would count for processes: anonymous and shared memory, in bytes, without mapped files.
func memoryOf(pids []int) int64 {
	var total int64
	for _, pid := range pids {
		file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it has ended
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ":")
			if name != "RssAnon" && name != "RssShmem" {
				continue
			}
			if kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
				total += kilobytes * 1024
			}
		}
		_ = file.Close()
	}
	return total
}
