package strategies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTags: what a tag loses on its way is told in the log.
func TestTags(t *testing.T) {
	b := newBench(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	long := strings.Repeat("x", 100)
	b.env["DRYDOCK_TAGS"] = "{{.Tag}}\n{{.Branch}}-{{ .ShortCommit }}\n{{.Commit}}" + long + "\nmain-" + b.commit[:7]
	log, said := b.run("buildah")
	if diff := cmp.Diff([]string{"main-" + b.commit[:7], (b.commit + long)[:128]}, said.Tags); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"==> Leaving out the tag {{.Tag}}, which is empty for main\n", "==> Shortening the tag " + b.commit + long + " to the 128"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log has no %q:\n%s", line, log)
		}
	}
}
