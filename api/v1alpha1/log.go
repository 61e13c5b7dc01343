package v1alpha1

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The bounds of a build's log.
const (
	// MaxLogLines are kept of a build's log at least, the newest ones, or as many as fit
	// into MaxLogChunks.
	MaxLogLines = 100_000
	// MaxLogChunks are kept at most, the newest ones. As no two neighbors would fit into
	// one, they hold 10 MB and more.
	MaxLogChunks = 21
	// MaxLineBytes of one line are kept; the rest is cut off, and the line says so.
	MaxLineBytes = 1_000_000
	// MaxChunkBytes of lines, with their numbers and times, make one chunk, before it is
	// compressed; one very long line may be more. It fits into a ConfigMap's 1 MiB also
	// where nothing is saved by compression.
	MaxChunkBytes = 1_000_000
	// LogKey is the key of the chunk in the ConfigMap's binaryData.
	LogKey = "log.gz"
	// AnnotationLogContainer of a chunk's ConfigMap names the container that printed the
	// chunk's last line: there a reader of the pod's log goes on.
	AnnotationLogContainer = "drydock.dev/log-container"
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
