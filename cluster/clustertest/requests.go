package clustertest

import (
	"bufio"
	"strconv"
	"strings"
	"testing"
)

// Requests are the API server's own counts, of everybody's requests.
type Requests struct {
	Total   map[string]int // requests so far by verb and resource: "LIST builds", "WATCH pods"
	Watches map[string]int // watches open now by resource
}

// Requests reads the API server's metrics apiserver_request_total and apiserver_longrunning_requests.
func (c *Cluster) Requests(t testing.TB) Requests {
	t.Helper()
	counts := Requests{Total: map[string]int{}, Watches: map[string]int{}}
	lines := bufio.NewScanner(strings.NewReader(c.Kubectl(t, "get", "--raw", "/metrics")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		labels, value, found := strings.Cut(rest, "} ")
		if !found || name != "apiserver_request_total" && name != "apiserver_longrunning_requests" {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("metric %q: %v", lines.Text(), err)
		}
		verb, resource := label(labels, "verb"), label(labels, "resource")
		if name == "apiserver_request_total" {
			counts.Total[verb+" "+resource] += int(number)
		} else if verb == "WATCH" {
			counts.Watches[resource] += int(number)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// label reads one label of a metric; the labels read here have no quotes in their values.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(","+labels, ","+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
