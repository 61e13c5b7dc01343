package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
)

// gate holds builds in their RUN step until it is opened, so that a test decides what happens in the middle of a build.
type gate struct {
	// Repository builds an image that waits at the gate named by its build argument GATE.
	Repository string
	// Argument is that build argument.
	Argument map[string]any
	arrived  chan net.Conn // of each build that waits
	answers  chan bool     // for one build each: whether it may pass
	opened   chan struct{}
	once     sync.Once
}

// gateProgram is the RUN step: it says so, waits until the gate hangs up, and says so again. A gate that says something
// turns it away.
const gateProgram = `package main

import (
	"io"
	"net"
	"os"
)

func main() {
	println("at the gate")
	connection, err := net.Dial("tcp", os.Getenv("GATE"))
	if err != nil {
		panic(err)
	}
	words, err := io.Copy(io.Discard, connection)
	if err != nil {
		panic(err)
	}
	if words > 0 {
		println("turned away at the gate")
		os.Exit(3)
	}
	println("through the gate")
}
`

const gateDockerfile = `FROM scratch
ARG GATE
COPY gate /gate
RUN ["/gate"]
`

// repositories counts those made, for names.
var repositories atomic.Int64

func newGate(t *testing.T, name string) *gate { return newGateOf(t, name, gateProgram) }

// newGateOf is a gate in front of another program, which finds it as gateProgram does.
func newGateOf(t *testing.T, name, program string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	g := &gate{arrived: make(chan net.Conn, 1000), answers: make(chan bool), opened: make(chan struct{})}
	t.Cleanup(g.open)
	go g.serve(listener)
	g.Argument = map[string]any{"key": "GATE", "value": listener.Addr().String()}
	g.Repository, err = house.Repository(within(t, patience), fmt.Sprintf("%s-%d", name, repositories.Add(1)), fstest.MapFS{
		"Dockerfile": {Data: []byte(gateDockerfile)}, "gate": {Data: compile(t, program)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// serve keeps every connection until it is answered or the gate is opened.
func (g *gate) serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return // the test is over
		}
		g.arrived <- connection
		go func() {
			select {
			case <-g.opened:
			case pass := <-g.answers:
				if !pass {
					_, _ = connection.Write([]byte("no")) // to a build that may be gone
				}
			}
			_ = connection.Close()
		}()
	}
}

// open lets all builds through, now and from now on.
func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// answer lets one build that waits through, or turns it away.
func (g *gate) answer(t *testing.T, pass bool) {
	t.Helper()
	select {
	case g.answers <- pass:
	case <-within(t, patience).Done():
		t.Fatal("no build waits for an answer")
	}
}

// await waits until that many builds stand at the gate: the connection to the last one, to talk to it.
func (g *gate) await(t *testing.T, builds int) (last net.Conn) {
	t.Helper()
	ctx := within(t, patience)
	for range builds {
		select {
		case last = <-g.arrived:
		case <-ctx.Done():
			t.Fatal("too few builds came to the gate")
		}
	}
	return last
}

// compiled are the programs made so far, by their source.
var compiled struct {
	sync.Mutex
	programs map[string][]byte
}

// compile makes a static program that runs in an empty image, each one once.
func compile(t *testing.T, program string) []byte {
	t.Helper()
	compiled.Lock()
	defer compiled.Unlock()
	if text, made := compiled.programs[program]; made {
		return text
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", binary, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if compiled.programs == nil {
		compiled.programs = map[string][]byte{}
	}
	compiled.programs[program] = text
	return text
}
