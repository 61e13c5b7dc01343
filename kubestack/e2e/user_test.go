package e2e

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const nobody = 65534

// TestWithoutRoot runs everything as a user without rights: there are no namespaces then, and the promises are kept without.
func TestWithoutRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("all other tests run without root already")
	}
	dir, err := os.MkdirTemp("", "kubestack-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	c, err := startAs(&syscall.Credential{Uid: nobody, Gid: nobody}, dir, "--fsync=false")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.terminate() }()
	mark := marker(t)
	create(t, c, "default", shell("id -u; cat $KUBESTACK_VOLUME_MY_MAP/ca.crt | head -n 1; printf told > $TERMINATION_LOG_PATH",
		mount("my-map", "/map", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}}})))
	ended := untilEnded(t, c, "default", "pod").Status.ContainerStatuses[0].State.Terminated
	if ended.ExitCode != 0 || ended.Message != "told" {
		t.Errorf("ended with %+v", ended)
	}
	if got := c.kubectl(t, "logs", "pod"); got != "65534\n-----BEGIN CERTIFICATE-----\n" {
		t.Errorf("log %q", got)
	}
	survivor := shell("trap '' TERM; setsid sh -c '" + mark + "; :' & " + mark + "; " + mark)
	survivor.Name = "survivor"
	for _, end := range []struct {
		reason string
		end    func()
	}{
		{"deletion", func() { c.kubectl(t, "delete", "pod", "survivor", "--grace-period=1") }},
		{"SIGKILL of kubestack", func() { kill(t, strconv.Itoa(c.command.Process.Pid)); <-c.ended }},
	} {
		create(t, c, "default", survivor)
		eventually(t, "processes run", func() bool { return len(processesOf(mark)) >= 3 })
		untilRunning(t, c, "default", "survivor")
		end.end()
		eventually(t, "no process survives "+end.reason, func() bool { return len(processesOf(mark)) == 0 })
	}
	eventually(t, "kubestack's parts are gone", func() bool { return len(processesOf(dir)) == 0 })
}
