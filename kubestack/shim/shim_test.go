package shim_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/kubestack/shim"
)

// TestMain lets this test binary be the shim that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == shim.Command {
		os.Exit(shim.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// modes are the ways in which containers run; isolation needs root.
func modes(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{"without namespaces": false}
	if err := shim.CanIsolate(executable(t)); err == nil {
		all["with namespaces"] = true
	} else {
		t.Logf("no namespaces here: %v", err)
	}
	return all
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a script; the returned function gives its output, after its end.
func start(t *testing.T, isolated bool, script string, mounts ...shim.Mount) (*shim.Process, func() string, error) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spec := shim.Spec{
		Args: []string{"sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}, Dir: dir, Scratch: t.TempDir(),
		Isolated: isolated, Mounts: mounts,
	}
	output := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(reader)
		output <- string(data)
	}()
	second, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	process, err := shim.Start(executable(t), spec, writer, second)
	if err == nil {
		t.Cleanup(func() { process.Kill(); <-process.Ended() })
	}
	return process, func() string { return <-output }, err
}

func wait(t *testing.T, process *shim.Process) int {
	t.Helper()
	select {
	case <-process.Ended():
		return process.ExitCode()
	case <-time.After(time.Minute):
		t.Fatal("the container did not end")
		return 0
	}
}

func TestExit(t *testing.T) {
	cases := []struct {
		reason string
		script string
		code   int
		output string
	}{
		{"success", "echo hello", 0, "hello\n"},
		{"the command's own exit code", "exit 42", 42, ""},
		{"128 + the signal", "kill -SEGV $$", 139, ""},
		{"what the command leaves behind ends with it, and the output with that", "sleep 600 & setsid sleep 600 & echo bye", 0, "bye\n"},
	}
	for mode, isolated := range modes(t) {
		for _, test := range cases {
			t.Run(mode+": "+test.reason, func(t *testing.T) {
				process, output, err := start(t, isolated, test.script)
				if err != nil {
					t.Fatal(err)
				}
				if code := wait(t, process); code != test.code {
					t.Errorf("exit code %d, want %d", code, test.code)
				}
				if diff := cmp.Diff(test.output, output()); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// TestKill also stands for the node's death: to the shim both are the end of its lifeline.
func TestKill(t *testing.T) {
	for mode, isolated := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			mark := fmt.Sprintf("86399.%d%d", os.Getpid(), len(mode))
			process, output, err := start(t, isolated, "trap '' TERM; sleep "+mark+" & setsid sh -c 'sleep "+mark+"; :' & echo up; wait; wait")
			if err != nil {
				t.Fatal(err)
			}
			waitFor(t, func() bool { return running(mark) >= 3 })
			process.Terminate()
			process.Kill()
			if code := wait(t, process); code != 137 {
				t.Errorf("exit code %d, want 137", code)
			}
			if left := running(mark); left > 0 {
				t.Errorf("%d processes left", left)
			}
			output()
		})
	}
}

func TestNotStarted(t *testing.T) {
	for mode, isolated := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			_, _, err := start(t, isolated, "true", shim.Mount{Source: "/no/such/volume", Target: "/v"})
			if isolated && !errors.Is(err, shim.ErrNotStarted) {
				t.Errorf("got %v, want ErrNotStarted: the volume is not there", err)
			}
			if !isolated && err != nil {
				t.Errorf("got %v: mounts are for isolated containers only", err)
			}
		})
	}
}

func TestMounts(t *testing.T) {
	if !modes(t)["with namespaces"] {
		t.Skip("mounts need root")
	}
	volume := t.TempDir()
	if err := os.WriteFile(filepath.Join(volume, "file"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := t.TempDir() // exists on the host, is covered in the container
	cases := []struct {
		reason string
		script string
		mounts []shim.Mount
		want   string
	}{
		{"a missing top directory is made, and the rest of / stays", "cat /missing-top/file; test -e /etc/passwd && echo -n +", []shim.Mount{{Source: volume, Target: "/missing-top"}}, "content+"},
		{"a missing directory deep down is made", "cat /usr/missing/deep/file; ls /usr | grep -c '^bin$'", []shim.Mount{{Source: volume, Target: "/usr/missing/deep"}}, "content1\n"},
		{"an existing directory is covered", "cat " + inside + "/file", []shim.Mount{{Source: volume, Target: inside}}, "content"},
		{"a file is mounted on a file, also in /dev", "cat /dev/one; echo x > /dev/null; ls -l /dev/null | cut -c1", []shim.Mount{{Source: filepath.Join(volume, "file"), Target: "/dev/one"}}, "contentc\n"},
		{"read-only is read-only", "touch /ro/new 2>/dev/null || echo refused", []shim.Mount{{Source: volume, Target: "/ro", ReadOnly: true}}, "refused\n"},
		{"a volume over the directory of all volumes hides none of them", "cat /tmp/file /other/file; cd; pwd | grep -c tmp", []shim.Mount{{Source: volume, Target: "/tmp"}, {Source: volume, Target: "/other"}}, "contentcontent"},
		{"/proc shows the container's processes only", "ls /proc | grep -c '^1$'; test $(ls /proc | grep -c '^[0-9]') -lt 8 && echo few", nil, "1\nfew\n"},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			process, output, err := start(t, true, test.script, test.mounts...)
			if err != nil {
				t.Fatal(err)
			}
			wait(t, process)
			if got := output(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for _, path := range []string{"/missing-top", "/usr/missing", "/dev/one", "/ro", "/other", filepath.Join(inside, "file")} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was made on the host", path)
		}
	}
}

func running(mark string) int {
	count := 0
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), mark) && !strings.Contains(string(data), shim.Command+"\x00") {
			count++
		}
	}
	return count
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
