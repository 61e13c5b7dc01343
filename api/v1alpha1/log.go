package v1alpha1

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The bounds of a build's log.
const (
	// MaxLogBytes of text are kept of a build's log after its pod is gone, the
	// newest lines.
	MaxLogBytes = 10 << 20
	// MaxLogLines are kept, the newest ones.
	MaxLogLines = 100_000
	// MaxLineBytes of one line are kept; the rest is cut off, and the line says so.
	MaxLineBytes = 1_000_000
	// MaxChunkBytes is the size of one ConfigMap's compressed chunk. A chunk that
	// holds one very long line may be larger, yet stays under a ConfigMap's 1 MiB.
	MaxChunkBytes = 512 << 10
	// LogKey is the key of the chunk in the ConfigMap's binaryData.
	LogKey = "log.gz"
)

// LogLine is one line of a build's log.
//
// +kubebuilder:object:generate=false
type LogLine struct {
	// Number counts from 1 over all containers of the build's pod, see LogContainers.
	Number int64
	// Time is when the line was printed, in UTC.
	Time time.Time
	// Text is valid UTF-8 without the line's end.
	Text string
}

// LogContainers are the containers of a build's pod in the order in which their
// lines are numbered: init containers first, then the others.
func LogContainers(spec *corev1.PodSpec) []string {
	var names []string
	for _, container := range spec.InitContainers {
		names = append(names, container.Name)
	}
	for _, container := range spec.Containers {
		names = append(names, container.Name)
	}
	return names
}

const logInfix = ".log."

// LogConfigMap is the name of the ConfigMap that holds the chunk of a build's log
// that begins with a line. The name tells the number, so that a reader fetches no
// chunk it does not need.
func LogConfigMap(build string, firstLine int64) string {
	return build + logInfix + strconv.FormatInt(firstLine, 10)
}

// LogConfigMapFirstLine is the number of the first line of the chunk in a
// ConfigMap of that name; 0 when LogConfigMap did not make the name.
func LogConfigMapFirstLine(name string) int64 {
	_, number, _ := strings.Cut(name, logInfix)
	line, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return line
}
