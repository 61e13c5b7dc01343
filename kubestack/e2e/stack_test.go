package e2e

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestBadFlags(t *testing.T) {
	t.Parallel()
	cases := []struct {
		reason string
		args   []string
		want   string
	}{
		{"an unknown flag", []string{"--colour=red"}, "--colour"},
		{"a port that is none", []string{"--port=70000"}, "--port"},
		{"a port that is no number", []string{"--etcd-port=x"}, "--etcd-port"},
		{"an address that is none", []string{"--address=here"}, "--address"},
		{"a node name that Kubernetes refuses", []string{"--node-name=A_B"}, "--node-name"},
		{"an argument", []string{"start"}, `"start"`},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			output, err := exec.Command(binary, append([]string{"--data-dir", t.TempDir()}, test.args...)...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("got %v, want exit code 2", err)
			}
			if strings.Count(string(output), "\n") != 1 || !strings.Contains(string(output), test.want) {
				t.Errorf("got %q, want one line with %s", output, test.want)
			}
		})
	}
	t.Run("help is no error", func(t *testing.T) {
		output, err := exec.Command(binary, "--help").Output()
		if err != nil || !strings.Contains(string(output), "--data-dir") {
			t.Errorf("%v: %s", err, output)
		}
	})
}

func TestNodes(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "kubectl")
	if err := os.Symlink(binary, link); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(link, "--kubeconfig", shared.kubeconfig, "get", "nodes", "--no-headers").CombinedOutput()
	if err != nil || !strings.HasPrefix(strings.Join(strings.Fields(string(output)), " "), "kubestack Ready <none>") {
		t.Errorf("%v: %s", err, output)
	}
	info, err := os.Stat(shared.kubeconfig)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, mode %v, want 0600", err, info.Mode())
	}
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	account := "system:serviceaccount:" + space + ":default"
	can := func() bool {
		command := exec.Command(binary, "kubectl", "--kubeconfig", shared.kubeconfig, "-n", space, "auth", "can-i", "list", "pods", "--as", account)
		return command.Run() == nil
	}
	if can() {
		t.Error("a service account may list pods without a role")
	}
	shared.kubectl(t, "-n", space, "create", "role", "reader", "--verb=list", "--resource=pods")
	shared.kubectl(t, "-n", space, "create", "rolebinding", "reader", "--role=reader", "--serviceaccount="+space+":default")
	eventually(t, "the role counts", can)
}

// TestLife takes one directory through everything that may happen to a kubestack.
func TestLife(t *testing.T) {
	t.Parallel()
	dir, mark := filepath.Join(t.TempDir(), "data"), marker(t)
	first, err := start(dir) // beside the shared one, with fsync
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.terminate() }()
	if first.url == shared.url {
		t.Fatalf("both serve at %s", first.url)
	}
	if output, err := exec.Command(binary, "--data-dir", dir).CombinedOutput(); err == nil || !strings.Contains(string(output), "another kubestack") {
		t.Errorf("a second one on the same directory: %v, %s", err, output)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}, Data: map[string]string{"key": "value"}}
	if _, err := first.client.CoreV1().ConfigMaps("default").Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	create(t, first, "default", shell("echo before; setsid "+mark+" & "+mark))
	again := shell("echo again; "+mark, restartPolicy(corev1.RestartPolicyAlways))
	again.Name = "again"
	create(t, first, "default", again)
	untilRunning(t, first, "default", "pod")
	untilRunning(t, first, "default", "again")
	eventually(t, "processes run", func() bool { return len(processesOf(mark)) >= 3 })

	kill(t, strconv.Itoa(first.command.Process.Pid))
	<-first.ended
	eventually(t, "no process survives SIGKILL of the parent", func() bool {
		return len(processesOf(dir)) == 0 && len(processesOf(mark)) == 0
	})

	second, err := start(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.terminate() }()
	if second.url != first.url {
		t.Errorf("restarted at %s, was at %s", second.url, first.url)
	}
	kept, err := second.client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil || kept.Data["key"] != "value" {
		t.Errorf("after a restart: %v, %v", err, kept)
	}
	lost := untilEnded(t, second, "default", "pod")
	ended := lost.Status.ContainerStatuses[0].State.Terminated
	if lost.Status.Reason != "NodeLost" || ended == nil || ended.Reason != "ContainerStatusUnknown" || ended.ExitCode != 137 {
		t.Errorf("the pod that ran: %+v", lost.Status)
	}
	if got := second.kubectl(t, "logs", "pod"); got != "before\n" {
		t.Errorf("its log: %q", got)
	}
	eventually(t, "the pod with restartPolicy Always runs again", func() bool {
		status := get(t, second, "default", "again").Status
		return status.Phase == corev1.PodRunning && status.ContainerStatuses[0].RestartCount == 1
	})
	asked := time.Now()
	if err := second.terminate(); err != nil {
		t.Error(err)
	}
	t.Logf("a clean stop took %s", time.Since(asked))
	if left := append(processesOf(dir), processesOf(mark)...); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}

	port := freePort(t)
	third, err := start(dir, "--port", port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = third.terminate() }()
	if !strings.HasSuffix(third.url, ":"+port) {
		t.Errorf("at %s, want port %s", third.url, port)
	}
	third.kubectl(t, "get", "configmap", "kept")
	kill(t, processesOf("component kube-scheduler --kubeconfig=" + dir)[0])
	<-third.ended
	if code := third.command.ProcessState.ExitCode(); code != 1 || !strings.Contains(third.stderr.String(), "kube-scheduler ended: signal: killed") {
		t.Errorf("after a part's death: exit code %d, %s", code, third.stderr)
	}
	if left := processesOf(dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
