package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"drydock.dev/drydock/e2e/client"
)

// memory is what a process holds in memory, in bytes (proc_pid_status(5)).
type memory struct {
	// Resident is VmRSS, Peak is VmHWM.
	Resident int64 `json:"residentBytes"`
	Peak     int64 `json:"peakBytes"`
}

func memoryOf(pid int) (memory, error) {
	var m memory
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch {
		case err != nil:
		case name == "VmRSS":
			m.Resident = kilobytes << 10
		case name == "VmHWM":
			m.Peak = kilobytes << 10
		}
	}
	return m, nil
}

// The gateway's own counts, from Prometheus's Go collector.
const (
	allocatedBytes = "go_memstats_alloc_bytes_total"
	allocations    = "go_memstats_mallocs_total"
	stackInUse     = "go_memstats_stack_inuse_bytes"
	heapInUse      = "go_memstats_heap_inuse_bytes"
	goroutines     = "go_goroutines"
)

// scrape reads the gateway's metrics without labels, by name.
func scrape(ctx context.Context, browser *client.Client) (map[string]float64, error) {
	response, err := browser.Send(ctx, http.MethodGet, "/metrics", "", nil)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(response.Body))
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = value
		}
	}
	for _, name := range []string{allocatedBytes, allocations, stackInUse, heapInUse, goroutines} {
		if _, ok := values[name]; !ok {
			return nil, fmt.Errorf("/metrics has no %s", name)
		}
	}
	return values, lines.Err()
}
