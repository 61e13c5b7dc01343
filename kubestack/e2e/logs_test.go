package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestLogOptions(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	create(t, shared, space, shell("for i in 1 2 3 4 5; do echo line $i; done; head -c 300000 /dev/zero | tr '\\0' y; echo; printf unfinished"))
	untilEnded(t, shared, space, "pod")
	long := strings.Repeat("y", 300000)
	cases := []struct {
		reason string
		args   []string
		want   string
	}{
		{"everything, long lines whole, the last line as it is", nil, "line 1\nline 2\nline 3\nline 4\nline 5\n" + long + "\nunfinished"},
		{"the last lines", []string{"--tail=2"}, long + "\nunfinished"},
		{"no lines", []string{"--tail=0"}, ""},
		{"the first bytes", []string{"--limit-bytes=9"}, "line 1\nli"},
		{"nothing from after the end", []string{"--since-time=2999-01-01T00:00:00Z"}, ""},
		{"following an ended container ends", []string{"--follow", "--tail=1"}, "unfinished"},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			if got := shared.kubectl(t, append([]string{"-n", space, "logs", "pod"}, test.args...)...); got != test.want {
				t.Errorf("got %.200q, want %.200q", got, test.want)
			}
		})
	}
	t.Run("each line has its time", func(t *testing.T) {
		got := shared.kubectl(t, "-n", space, "logs", "pod", "--timestamps", "--limit-bytes=60")
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1\n\d{4}-`).MatchString(got) {
			t.Errorf("got %q", got)
		}
	})
}

func TestLogFollow(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	out := t.TempDir()
	create(t, shared, space, shell("echo one; while ! test -e /out/go; do sleep 0.05; done; echo two; printf three",
		mount("out", "/out", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: out}})))
	untilRunning(t, shared, space, "pod")
	command := exec.Command(binary, "kubectl", "--kubeconfig", shared.kubeconfig, "-n", space, "logs", "pod", "-c", "main", "--follow")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() || lines.Text() != "one" {
		t.Fatalf("first line: %q", lines.Text())
	}
	if pod := get(t, shared, space, "pod"); pod.Status.ContainerStatuses[0].State.Running == nil {
		t.Error("the line came only when the container had ended")
	}
	if err := os.WriteFile(filepath.Join(out, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	if err := command.Wait(); err != nil { // the stream ends with the container
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"two", "three"}, rest); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLogOfRestartedContainer(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	create(t, shared, space, shell("echo run >> /w/runs; echo this is run $(wc -l < /w/runs); test $(wc -l < /w/runs) -ge 2 && sleep 600",
		restartPolicy(corev1.RestartPolicyAlways), mount("w", "/w", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})))
	eventually(t, "container runs again", func() bool {
		statuses := get(t, shared, space, "pod").Status.ContainerStatuses
		return len(statuses) == 1 && statuses[0].RestartCount == 1 && statuses[0].State.Running != nil
	})
	eventually(t, "log of the second run", func() bool {
		return shared.kubectl(t, "-n", space, "logs", "pod") == "this is run 2\n"
	})
	if got := shared.kubectl(t, "-n", space, "logs", "pod", "--previous"); got != "this is run 1\n" {
		t.Errorf("previous log: %q", got)
	}
	shared.kubectl(t, "-n", space, "delete", "pod", "pod", "--grace-period=1", "--timeout="+time.Minute.String())
}
