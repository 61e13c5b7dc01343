package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	criLogs "k8s.io/cri-client/pkg/logs"
)

const (
	maxLogLine   = 1 << 20         // longer lines are kept in parts, which the reader puts together again
	drainTimeout = 2 * time.Second // without output, once a container has ended and its pipes are still open
	drainAtMost  = time.Minute     // for all output behind the end
)

// logFile takes the output of one run of a container into a file of the CRI's format, which the kubelet's own reader reads:
// time, stream, F (full line) or P (part of one), text.
type logFile struct {
	stdout, stderr *os.File // for the container

	path   string
	rotate rotation

	mu      sync.Mutex
	file    *os.File
	size    int64
	lines   int64     // written in all, with parts of long ones
	looked  time.Time // when the size was looked at
	readers []*os.File
	copying sync.WaitGroup
}

func createLog(path string, rotate rotation) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	log := &logFile{path: path, rotate: rotate, file: file, looked: time.Now()}
	for stream, writer := range map[runtimeapi.LogStreamType]**os.File{runtimeapi.Stdout: &log.stdout, runtimeapi.Stderr: &log.stderr} {
		var reader *os.File
		if reader, *writer, err = os.Pipe(); err != nil {
			log.close()
			return nil, err
		}
		log.readers = append(log.readers, reader)
		log.copying.Go(func() { log.copy(reader, stream) })
	}
	return log, nil
}

// copy takes lines until the container has closed its end.
func (l *logFile) copy(reader io.Reader, stream runtimeapi.LogStreamType) {
	lines := bufio.NewReaderSize(reader, maxLogLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			l.write(line, stream)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (l *logFile) write(line []byte, stream runtimeapi.LogStreamType) {
	tag := runtimeapi.LogTagPartial
	if line[len(line)-1] == '\n' {
		tag, line = runtimeapi.LogTagFull, line[:len(line)-1]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := make([]byte, 0, len(line)+64)
	entry = time.Now().UTC().AppendFormat(entry, criLogs.RFC3339NanoFixed)
	entry = fmt.Appendf(entry, " %s %s ", stream, tag)
	entry = append(append(entry, line...), '\n')
	if now := time.Now(); now.Sub(l.looked) >= l.rotate.every {
		l.looked = now
		l.rotateLarge()
	}
	written, _ := l.file.Write(entry) // a full disk must not stop the container's output
	l.size += int64(written)
	l.lines++
}

// rotateLarge begins another file where this one is too large, as the kubelet does: what is
// in the one before is not to be had by the API any more.
func (l *logFile) rotateLarge() {
	if l.size < l.rotate.size {
		return
	}
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return // the log stays where it is
	}
	next, err := os.Create(l.path)
	if err != nil {
		_ = os.Rename(l.path+".1", l.path)
		return
	}
	_ = l.file.Close()
	l.file, l.size = next, 0
}

// close returns when everything the container wrote is in the file.
func (l *logFile) close() {
	copied := make(chan struct{})
	go func() {
		l.copying.Wait()
		close(copied)
	}()
	l.drain(copied)
	for _, reader := range l.readers {
		_ = reader.Close() // a process that got away may still hold the other end
	}
	<-copied
	_ = l.file.Close()
}

// drain waits until all output is copied, or none came for a while: to take what is in the
// pipes, a busy machine needs its time.
func (l *logFile) drain(copied <-chan struct{}) {
	end := time.Now().Add(drainAtMost)
	for before := l.copied(); time.Now().Before(end); {
		select {
		case <-copied:
			return
		case <-time.After(drainTimeout):
		}
		lines := l.copied()
		if lines == before {
			return
		}
		before = lines
	}
}

// copied is how many lines are in the file.
func (l *logFile) copied() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// runningOf answers the one question that following a log asks the container runtime.
type runningOf struct {
	internalapi.RuntimeService
	running func() bool
}

func (r runningOf) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	state := runtimeapi.ContainerState_CONTAINER_EXITED
	if r.running() {
		state = runtimeapi.ContainerState_CONTAINER_RUNNING
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: state}}, nil
}

// readLog writes a log to out; with Follow until the container has ended, all lines out, or ctx ends.
func readLog(ctx context.Context, path string, options *criLogs.LogOptions, running func() bool, stdout, stderr io.Writer) error {
	return criLogs.ReadLogs(ctx, path, "", options, runningOf{running: running}, stdout, stderr)
}
