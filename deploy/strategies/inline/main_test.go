package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// TestStrategies holds the shipped strategies to their scripts, and the scripts to
// what a shell and Kubernetes make of them.
func TestStrategies(t *testing.T) {
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			again, err := inline(text, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join("..", name)) })
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, again) {
				t.Error("the scripts in it are not those of the .sh files: go generate ./deploy")
			}
			var strategy corev1.PodTemplate
			if err := yaml.UnmarshalStrict(text, &strategy); err != nil {
				t.Fatal(err)
			}
			container := strategy.Template.Spec.Containers[0]
			script := container.Args[len(container.Args)-1]
			if strings.Contains(script, "$$") {
				t.Error("$$ in a script: Kubernetes would make one $ of it")
			}
			check := exec.Command("sh", "-n")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("sh -n: %v: %s", err, out)
			}
			lint, err := exec.LookPath("shellcheck")
			if err != nil {
				t.Log("shellcheck is not installed: not asked")
				return
			}
			ask := exec.Command(lint, "--shell=dash", "-")
			ask.Stdin = strings.NewReader(script)
			if out, err := ask.CombinedOutput(); err != nil {
				t.Errorf("shellcheck: %v: %s", err, out)
			}
		})
	}
}

func TestInlineNamesAMissingScript(t *testing.T) {
	_, err := inline([]byte("a:\n  # begin none.sh\n  # end none.sh\n"), os.ReadFile)
	if err == nil || !strings.Contains(err.Error(), "none.sh") {
		t.Errorf("error %v", err)
	}
}
