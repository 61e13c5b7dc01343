package e2e

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/client"
)

// opener opens a subscription over one of the transports.
type opener func(*client.Client, context.Context, client.Request) (client.Stream, error)

var transports = []struct {
	name   string
	open   opener
	reason string
}{
	{"WebSocket", (*client.Client).WebSocket, "browsers and GraphiQL subscribe so"},
	{"SSE", (*client.Client).SSE, "curl and strict proxies subscribe so"},
}

// watch follows the builds of an image, or of every image where it is empty, over one transport.
func (a *actor) watch(open opener, image string) client.Stream {
	a.t.Helper()
	request := client.Request{Query: `subscription($image: ID) { buildChanged(image: $image) { ` + buildFields + ` } }`}
	if image != "" {
		request.Variables = map[string]any{"image": image}
	}
	stream, err := open(a.Client, within(a.t, patience), request)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// next is the next event of a buildChanged.
func next(stream client.Stream) (build, error) {
	var data struct{ BuildChanged build }
	err := stream.Next(&data)
	return data.BuildChanged, err
}

// untilDone follows one build until it has ended: every phase it was seen in, once, and what it came to.
func untilDone(t *testing.T, stream client.Stream) (phases []string, last build) {
	t.Helper()
	for !last.done() || last.BilledSeconds == nil {
		b, err := next(stream)
		if err != nil {
			t.Fatalf("after %v: %v", phases, err)
		}
		if b.Phase != last.Phase {
			phases = append(phases, b.Phase)
		}
		last = b
	}
	return phases, last
}

// TestWalk is the README's walk: what the whole product is for.
func TestWalk(t *testing.T) {
	g := gateway(t)
	controller(t)
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			gate := newGate(t, "walk")
			ada := signIn(t, g.URL, "ada")
			image := ada.createImage("hello", gate.Repository, gate.Argument)
			changes := ada.watch(transport.open, image)
			started := ada.startBuild(image)
			if started.Number != 1 || started.Phase != "QUEUED" {
				t.Errorf("started %v: the first build is number 1 and waits its turn", started)
			}
			lines := ada.followLog(transport.open, started.ID)
			lines.until(t, "at the gate")
			if phase := ada.phase(started.ID); phase != "RUNNING" {
				t.Errorf("the log told a line while the build was %s: lines arrive while it runs", phase)
			}
			gate.open()
			lines.until(t, "through the gate")
			lines.untilComplete(t)

			phases, b := untilDone(t, changes)
			if got, want := strings.Join(phases, " "), "QUEUED RUNNING SUCCEEDED"; got != want {
				t.Errorf("%s (%s): phases %s, want %s: %v", transport.name, transport.reason, got, want, b)
			}
			if b.Digest == nil || b.DurationSeconds == nil {
				t.Fatalf("%+v: a build that succeeded has a digest and a duration", b)
			}
			ada.checkPushed(*b.Digest)
			ada.checkMetered(b)
			ada.checkKubernetes(b)
		})
	}
}

// phase asks for a build's phase.
func (a *actor) phase(id string) string {
	a.t.Helper()
	var data struct{ Build build }
	a.do(`query($id: ID!) { build(id: $id) { `+buildFields+` } }`, map[string]any{"id": id}, &data)
	return data.Build.Phase
}

// checkPushed holds that the registry has every tag of build 1 of the image hello under the digest.
func (a *actor) checkPushed(digest string) {
	a.t.Helper()
	for _, tag := range []string{"latest", "b1"} {
		got, err := house.Digest(within(a.t, patience), a.login+"/hello", tag)
		if err != nil || got != digest {
			a.t.Errorf("the registry has %q for tag %s, Drydock says %s (%v)", got, tag, digest, err)
		}
	}
}

// checkMetered holds that GraphQL, the build and Stripe's meter tell the same seconds.
func (a *actor) checkMetered(b build) {
	a.t.Helper()
	metered, err := house.Stripe.Metered(within(a.t, patience), a.login)
	if err != nil {
		a.t.Fatal(err)
	}
	var data struct {
		Viewer struct{ Usage struct{ BuildSeconds int64 } }
	}
	a.do(`{ viewer { usage { buildSeconds } } }`, nil, &data)
	if metered != *b.DurationSeconds || *b.BilledSeconds != metered || data.Viewer.Usage.BuildSeconds != metered {
		a.t.Errorf("the build ran %d s and says it billed %d s, usage says %d s, Stripe's meter %d s",
			*b.DurationSeconds, *b.BilledSeconds, data.Viewer.Usage.BuildSeconds, metered)
	}
}

// log is a build's log that arrives line by line.
type log struct {
	stream client.Stream
	seen   int
}

func (a *actor) followLog(open opener, id string) *log {
	a.t.Helper()
	stream, err := open(a.Client, within(a.t, patience), client.Request{
		Query: `subscription($id: ID!) { buildLog(id: $id) { number text } }`, Variables: map[string]any{"id": id},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = stream.Close() })
	return &log{stream: stream}
}

// line is the next one. Lines are numbered from 1 without a gap.
func (l *log) line() (string, error) {
	var data struct {
		BuildLog struct {
			Number int
			Text   string
		}
	}
	if err := l.stream.Next(&data); err != nil {
		return "", err
	}
	if l.seen++; data.BuildLog.Number != l.seen {
		return "", errors.New("line " + data.BuildLog.Text + " has another number than the next")
	}
	return data.BuildLog.Text, nil
}

// until reads lines up to one that is this.
func (l *log) until(t *testing.T, want string) {
	t.Helper()
	for {
		text, err := l.line()
		if err != nil {
			t.Fatalf("waiting for the line %q: %v", want, err)
		}
		if strings.TrimSpace(text) == want {
			return
		}
	}
}

// untilComplete reads the remaining lines: the log ends by itself when the build has.
func (l *log) untilComplete(t *testing.T) {
	t.Helper()
	for {
		if _, err := l.line(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the log did not complete: %v", err)
		}
	}
}
