package node

import (
	"bytes"
	"context"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	criLogs "k8s.io/cri-client/pkg/logs"
)

// Limits of the termination message, as the kubelet has them.
// https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
const (
	maxTerminationMessage = 4096 // bytes
	fallbackLines         = int64(80)
	fallbackBytes         = 2048
)

func (c *container) terminationFile() string { return c.path("termination-log") }

// terminationMessage is what the container wrote to its termination log, or the end of its output when it failed without a
// message and the pod wants that.
func (c *container) terminationMessage(code int32) string {
	message, err := tail(c.terminationFile(), maxTerminationMessage)
	if err != nil {
		return "cannot read the termination log: " + err.Error()
	}
	if message != "" || code == 0 || c.spec.TerminationMessagePolicy != corev1.TerminationMessageFallbackToLogsOnError {
		return message
	}
	var output bytes.Buffer
	lines := fallbackLines
	err = readLog(context.Background(), c.logFile(c.restarts()), &criLogs.LogOptions{TailLines: &lines}, c.running.Load, &output, &output)
	if err != nil {
		return "cannot read the output: " + err.Error()
	}
	text := output.Bytes()
	return string(text[max(0, len(text)-fallbackBytes):])
}

// tail returns the last bytes of a file.
func tail(path string, size int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(max(0, end-size), io.SeekStart); err != nil {
		return "", err
	}
	data, err := io.ReadAll(file)
	return string(data), err
}
