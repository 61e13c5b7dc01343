package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is where figures come from: they mean nothing without it.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	Go     string `json:"go"`
	System string `json:"system"`
	// Load is the load average of the last minute before the run: what else the machine did.
	Load string `json:"load"`
	// Commit is of the tree that was measured; it ends in -dirty where files were changed.
	Commit string `json:"commit"`
}

func inspect(ctx context.Context, root string) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	var err error
	if m.CPU, err = field("/proc/cpuinfo", "model name"); err != nil {
		return m, err
	}
	if m.Memory, err = field("/proc/meminfo", "MemTotal"); err != nil {
		return m, err
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return m, err
	}
	m.Load, _, _ = strings.Cut(string(load), " ")
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--exclude=*")
	command.Dir = root
	m.Commit = "unknown" // a source archive has no history
	if commit, err := command.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(commit))
	}
	return m, nil
}

// field is the value of the first line "name: value" of a file.
func field(file, name string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "unknown", nil
}
