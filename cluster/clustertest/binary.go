package clustertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// kubestack is the path of the binary: $KUBESTACK, else bin/kubestack of the
// repository, which make brings up to date. Test packages run side by side, so a
// lock keeps them from building it twice.
func kubestack() (string, error) {
	if binary := os.Getenv("KUBESTACK"); binary != "" {
		return binary, nil
	}
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(out)))
	lock, err := os.Create(filepath.Join(os.TempDir(), "drydock-kubestack.lock"))
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if out, err := exec.Command("make", "-C", root, "bin/kubestack").CombinedOutput(); err != nil {
		return "", fmt.Errorf("make bin/kubestack: %w\n%s", err, out)
	}
	return filepath.Join(root, "bin", "kubestack"), nil
}
