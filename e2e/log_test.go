package e2e

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// The log of the show: what the issue names, 100,000 lines and 10 MB.
const (
	showLines   = 100_000
	showBefore  = 60_000 // of them before the gate
	showClients = showFollowers
	showByLine  = showFollowers / 10 // of the clients have an event for each line, the others many lines in one
)

// printer prints the lines, each of 100 bytes with color, and waits at the gate after some of them.
const printer = `package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	filler := strings.Repeat("layer ", 12)
	for i := 1; i <= 100000; i++ {
		fmt.Fprintf(out, "\x1b[32m[%06d]\x1b[0m %s=>ok\n", i, filler)
		if i == 60000 {
			out.Flush()
			connection, err := net.Dial("tcp", os.Getenv("GATE"))
			if err != nil {
				panic(err)
			}
			if _, err := io.Copy(io.Discard, connection); err != nil {
				panic(err)
			}
		}
	}
	out.Flush()
}
`

// line is a LogLine as GraphQL shows it.
type line struct {
	Number int64
	Text   string
}

// reader is one client that follows the log: it checks every line as it comes.
type reader struct {
	pieces  bool         // many lines at a time
	last    atomic.Int64 // number of the last line
	printed int          // how many of the printer's lines came
	sum     uint64       // over all texts
	again   int          // connections that were cut off, beside the one at the replica that is killed
}

// read follows from the last line on; nil when the log is complete.
func (r *reader) read(ctx context.Context, c *client.Client, id string) error {
	query := `subscription($id: ID!, $after: Int!) { buildLog(id: $id, after: $after) { number text } }`
	if r.pieces {
		query = `subscription($id: ID!, $after: Int!) { buildLogPieces(id: $id, after: $after) { firstLine lines { number text } } }`
	}
	stream, err := c.WebSocket(ctx, client.Request{Query: query, Variables: map[string]any{"id": id, "after": r.last.Load()}})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for {
		var data struct {
			BuildLog       line
			BuildLogPieces struct {
				FirstLine int
				Lines     []line
			}
		}
		switch err := stream.Next(&data); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		lines := data.BuildLogPieces.Lines
		if !r.pieces {
			lines = []line{data.BuildLog}
		}
		for _, l := range lines {
			if err := r.take(l.Number, l.Text); err != nil {
				return err
			}
		}
		if first := data.BuildLogPieces.FirstLine; r.pieces && first != 1 {
			return fmt.Errorf("%w: the oldest line kept is said to be %d", errWrong, first)
		}
	}
}

// readOn reads to the end of the log, over as many connections as it takes: a gateway cuts off who takes nothing for
// long, as a client of fifty on a busy machine may.
func (r *reader) readOn(ctx context.Context, c *client.Client, id string) error {
	for {
		err := r.read(ctx, c, id)
		if err == nil || errors.Is(err, errWrong) || ctx.Err() != nil {
			return err
		}
		r.again++
	}
}

// errWrong is a line that must not be: no connection mends that.
var errWrong = errors.New("wrong line")

func (r *reader) take(number int64, text string) error {
	if number != r.last.Load()+1 {
		return fmt.Errorf("%w: %d after %d", errWrong, number, r.last.Load())
	}
	r.last.Store(number)
	if strings.HasPrefix(text, "\x1b[32m[") {
		if r.printed++; text[6:12] != fmt.Sprintf("%06d", r.printed) {
			return fmt.Errorf("%w: %q is not line %d of the printer", errWrong, text, r.printed)
		}
	}
	r.sum = r.sum*31 + uint64(crc32.ChecksumIEEE([]byte(text)))
	return nil
}

// TestLongLog follows a log of 100,000 lines by fifty clients at one replica, which is killed in the middle: all of
// them go on at another one, and have every line once.
func TestLongLog(t *testing.T) {
	first, second := gateway(t), gateway(t)
	keeper := controller(t)
	gate := newGateOf(t, "long-log", printer)
	ada := signIn(t, first.URL, "ada")
	started := ada.startBuild(ada.createImage("long", gate.Repository, gate.Argument))
	ctx := within(t, 5*patience)
	begun := time.Now()

	readers := make([]reader, showClients)
	problems := make([]error, showClients)
	lost := make(chan struct{}, showClients)
	var group sync.WaitGroup
	for i := range readers {
		readers[i].pieces = i >= showByLine
		group.Go(func() {
			err := readers[i].read(ctx, ada.At(first.URL), started.ID)
			lost <- struct{}{}
			if err == nil || errors.Is(err, errWrong) {
				problems[i] = fmt.Errorf("at the replica that was killed: %w", err)
				return
			}
			problems[i] = readers[i].readOn(ctx, ada.At(second.URL), started.ID)
		})
	}
	gate.await(t, 1)
	eventuallyWithin(t, ctx, func() error {
		for i := range readers {
			if last := readers[i].last.Load(); last < 5000 {
				return fmt.Errorf("client %d is at line %d", i, last)
			}
		}
		return nil
	})
	killed := time.Now()
	t.Logf("before the kill: %s; gateway %s", rates(readers, killed.Sub(begun)), memory(first.PID()))
	first.Kill()
	for range readers {
		select {
		case <-lost:
		case <-ctx.Done():
			t.Fatal("a client did not notice that its replica is gone")
		}
	}
	gate.open()
	group.Wait()
	t.Logf("in all: %s in %s; second gateway %s; controller %s", rates(readers, time.Since(begun)), time.Since(begun), memory(second.PID()), memory(keeper.PID()))

	for i := range readers {
		if readers[i].again > 0 {
			t.Logf("client %d was cut off %d times more", i, readers[i].again)
		}
		if problems[i] != nil {
			t.Errorf("client %d at line %d: %v", i, readers[i].last.Load(), problems[i])
		} else if readers[i].printed != showLines || readers[i].sum != readers[0].sum {
			t.Errorf("client %d has %d of the printer's lines, sum %x, the first one %x", i, readers[i].printed, readers[i].sum, readers[0].sum)
		}
	}
	ada.moveTo(second)
	ada.checkLogText(started.ID, readers[0].sum)
	ada.checkSearch(started.ID)
	checkLongLogPage(t, ada, second.URL, started.ID)
}

// checkLogText holds that the download has the same lines.
func (a *actor) checkLogText(id string, sum uint64) {
	a.t.Helper()
	response, err := a.Send(within(a.t, patience), http.MethodGet, "/builds/"+id+"/log.txt", "", nil)
	if err != nil || response.Status != http.StatusOK {
		a.t.Fatalf("the log as text: %v %+v", err, response)
	}
	var all reader
	for text := range strings.Lines(string(response.Body)) {
		if err := all.take(all.last.Load()+1, strings.TrimSuffix(text, "\n")); err != nil {
			a.t.Fatal(err)
		}
	}
	if all.sum != sum || all.printed != showLines {
		a.t.Errorf("the log as text has %d of the printer's lines, sum %x, the clients' %x", all.printed, all.sum, sum)
	}
	if got, want := response.Header.Get("Content-Disposition"), `attachment; filename="long-1.log"`; got != want {
		a.t.Errorf("the log as text comes as %s, want %s", got, want)
	}
}

// checkSearch holds that one line of all is found on the server.
func (a *actor) checkSearch(id string) {
	a.t.Helper()
	var data struct {
		Build struct {
			LogSearch struct {
				Lines    []line
				Complete bool
			}
		}
	}
	a.do(`query($id: ID!) { build(id: $id) { logSearch(text: "[099999] LAYER") { complete lines { number text } } } }`, map[string]any{"id": id}, &data)
	if found := data.Build.LogSearch; len(found.Lines) != 1 || found.Lines[0].Number < 99_999 {
		a.t.Errorf("the search found %+v", found)
	}
}

func eventuallyWithin(t *testing.T, ctx context.Context, ask func() error) {
	t.Helper()
	if err := stack.Until(ctx, ask); err != nil {
		t.Fatal(err)
	}
}

func rates(readers []reader, took time.Duration) string {
	lines := int64(0)
	for i := range readers {
		lines += readers[i].last.Load()
	}
	return fmt.Sprintf("%d lines to %d clients, %.0f lines/s", lines, len(readers), float64(lines)/took.Seconds())
}

// memory is what a process holds and held at most, as Linux tells.
func memory(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err.Error()
	}
	var told []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmHWM:") {
			told = append(told, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(told, ", ")
}
