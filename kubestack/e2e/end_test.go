package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// marker is a sleep that no other process of this machine sleeps, so that a test finds the processes of its pod.
func marker(t *testing.T) string {
	return fmt.Sprintf("sleep 86400.%d%d", os.Getpid(), len(t.Name())*1000+time.Now().Nanosecond()%1000)
}

func TestDeletion(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	cases := []struct {
		reason string
		script string // %s is the marker
		grace  *int64
		least  time.Duration // the pod takes this long to go
		most   time.Duration
		wrote  string // what SIGTERM made it write
	}{
		{"SIGTERM comes first, and its handler may finish", "trap 'sleep 0.3; echo asked > /out/said; exit' TERM; %s & wait", seconds(600), 300 * time.Millisecond, 2 * time.Minute, "asked\n"},
		{"SIGTERM reaches the whole process group", "sh -c 'trap \"echo child > /out/said; exit\" TERM; %s & wait' & trap : TERM; while kill -0 $! 2>/dev/null; do wait $!; done", seconds(600), 0, 2 * time.Minute, "child\n"},
		{"who ignores SIGTERM is killed after the grace period", "trap '' TERM; while :; do %s; done", seconds(2), 2 * time.Second, 2 * time.Minute, ""},
		{"a descendant in a session of its own does not get away", "setsid sh -c \"trap '' TERM; %s; :\" & exec sleep 1000", seconds(5), 0, 2 * time.Minute, ""},
		{"--force does not wait", "trap '' TERM; while :; do %s; done", seconds(0), 0, 25 * time.Second, ""},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			space, mark, out := namespace(t, shared), marker(t), t.TempDir()
			create(t, shared, space, shell(fmt.Sprintf(test.script, mark),
				mount("out", "/out", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: out}})))
			eventually(t, "processes run", func() bool { return len(processesOf(mark)) > 0 })
			untilRunning(t, shared, space, "pod")
			asked := time.Now()
			err := shared.client.CoreV1().Pods(space).Delete(t.Context(), "pod", metav1.DeleteOptions{GracePeriodSeconds: test.grace})
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "pod and processes are gone", func() bool {
				list, err := shared.client.CoreV1().Pods(space).List(t.Context(), metav1.ListOptions{})
				return err == nil && len(list.Items) == 0 && len(processesOf(mark)) == 0
			})
			if took := time.Since(asked); took < test.least || took > test.most {
				t.Errorf("it took %s, want %s to %s", took, test.least, test.most)
			}
			said, _ := os.ReadFile(filepath.Join(out, "said"))
			if string(said) != test.wrote {
				t.Errorf("on SIGTERM it wrote %q, want %q", said, test.wrote)
			}
		})
	}
}

func TestKilledFromElsewhere(t *testing.T) {
	t.Parallel()
	space, mark := namespace(t, shared), marker(t)
	create(t, shared, space, shell("exec "+mark))
	eventually(t, "process runs", func() bool { return len(processesOf(mark)) > 0 })
	kill(t, processesOf(mark)[0])
	ended := untilEnded(t, shared, space, "pod").Status.ContainerStatuses[0].State.Terminated
	if ended.ExitCode != 137 || ended.Reason != "Error" || ended.Signal != 9 {
		t.Errorf("got %+v, want exit code 137, signal 9, reason Error", ended)
	}
}

func TestBackgroundProcessesEndWithTheContainer(t *testing.T) {
	t.Parallel()
	space, mark := namespace(t, shared), marker(t)
	create(t, shared, space, shell("setsid "+mark+" & "+mark+" & exit 0"))
	pod := untilEnded(t, shared, space, "pod")
	if pod.Status.Phase != corev1.PodSucceeded {
		t.Errorf("phase %s", pod.Status.Phase)
	}
	if left := processesOf(mark); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	shared.kubectl(t, "-n", space, "create", "job", "hello", "--image=unused", "--", "sh", "-c", "echo hello")
	shared.kubectl(t, "-n", space, "wait", "--for=condition=complete", "job/hello", "--timeout=60s")
	if got := shared.kubectl(t, "-n", space, "logs", "job/hello"); got != "hello\n" {
		t.Errorf("log %q", got)
	}
	shared.kubectl(t, "-n", space, "delete", "job", "hello", "--timeout=60s")
	eventually(t, "its pods are gone", func() bool {
		list, err := shared.client.CoreV1().Pods(space).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(list.Items) == 0
	})
}

func TestMissingSecretIsWaitedFor(t *testing.T) {
	t.Parallel()
	space := namespace(t, shared)
	create(t, shared, space, shell("echo $S", env(corev1.EnvVar{Name: "S", ValueFrom: &corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "secret"}, Key: "token"},
	}})))
	eventually(t, "it says what it waits for", func() bool {
		statuses := get(t, shared, space, "pod").Status.ContainerStatuses
		return len(statuses) == 1 && statuses[0].State.Waiting != nil && statuses[0].State.Waiting.Reason == "CreateContainerConfigError"
	})
	furnish(t, space)
	if pod := untilEnded(t, shared, space, "pod"); pod.Status.Phase != corev1.PodSucceeded {
		t.Errorf("phase %s", pod.Status.Phase)
	}
	if got := shared.kubectl(t, "-n", space, "logs", "pod"); got != "hunter2\n" {
		t.Errorf("log %q", got)
	}
}

func kill(t *testing.T, pid string) {
	t.Helper()
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(number, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
