package stack

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// KubernetesRequest is one request to the API server, as its audit log has it
// (https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event).
type KubernetesRequest struct {
	Verb       string    `json:"verb"`
	RequestURI string    `json:"requestURI"`
	UserAgent  string    `json:"userAgent"`
	Time       time.Time `json:"requestReceivedTimestamp"`
}

// KubernetesRequests are those made since then by clients whose user agent starts so, each once.
func (s *Stack) KubernetesRequests(since time.Time, userAgent string) ([]KubernetesRequest, error) {
	file, err := os.Open(s.auditLog)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var requests []KubernetesRequest
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			AuditID string `json:"auditID"`
			KubernetesRequest
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // the last line may be half written
		}
		if seen[event.AuditID] || event.Time.Before(since) || !strings.HasPrefix(event.UserAgent, userAgent) {
			continue
		}
		seen[event.AuditID] = true
		requests = append(requests, event.KubernetesRequest)
	}
	return requests, lines.Err()
}
