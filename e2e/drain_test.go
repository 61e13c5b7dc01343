package e2e

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// TestDrain ends a replica as a rollout does, by SIGTERM: what was asked is answered, subscribers are told to go
// elsewhere, and nothing new is taken.
func TestDrain(t *testing.T) {
	other := gateway(t)
	g := gateway(t)
	controller(t)
	gate := newGate(t, "drain")
	ada := signIn(t, g.URL, "ada")
	image := ada.createImage("hello", gate.Repository, gate.Argument)
	b := ada.startBuild(image)
	gate.await(t, 1)
	streams := map[string]client.Stream{}
	for _, transport := range transports {
		streams[transport.name] = ada.watch(transport.open, image)
		if seen, err := next(streams[transport.name]); err != nil || seen.ID != b.ID {
			t.Fatalf("%s: %v, %v", transport.name, seen, err)
		}
	}

	release := house.Stripe.Hold()
	t.Cleanup(release)
	answer := make(chan error, 1)
	go func() {
		var data struct {
			Viewer struct{ Usage struct{ BuildSeconds int } }
		}
		answer <- ada.Do(t.Context(), client.Request{Query: `{ viewer { usage(period: PREVIOUS) { buildSeconds } } }`}, &data)
	}()
	eventually(t, func() error {
		if house.Stripe.Held() == 0 {
			return errors.New("the request has not reached Stripe")
		}
		return nil
	})
	if err := g.Terminate(); err != nil {
		t.Fatal(err)
	}
	checkReconnect(t, streams)
	if response, err := ada.Send(within(t, patience), http.MethodGet, "/readyz", "", nil); err == nil && response.Status == http.StatusOK {
		t.Error("a replica that ends still says it is ready")
	}
	release()
	if err := <-answer; err != nil {
		t.Errorf("the request that was under way: %v", err)
	}
	if code, err := g.Wait(within(t, patience)); code != 0 || err != nil {
		t.Errorf("exit code %d (%v), want 0", code, err)
	}

	ada.moveTo(other)
	again := ada.watch((*client.Client).WebSocket, image)
	gate.open()
	if _, last := untilDone(t, again); last.Phase != "SUCCEEDED" {
		t.Errorf("at the other replica: %v", last)
	}
}

// checkReconnect holds that subscribers learn that they should come again, not that it is over.
func checkReconnect(t *testing.T, streams map[string]client.Stream) {
	t.Helper()
	for name, stream := range streams {
		var err error
		for err == nil {
			_, err = next(stream)
		}
		told := errors.Is(err, io.ErrUnexpectedEOF) // an event stream that ends before its complete event
		if name == "WebSocket" {
			told = websocket.CloseStatus(err) == websocket.StatusServiceRestart
		}
		if !told {
			t.Errorf("%s subscriber was told: %v", name, err)
		}
	}
}

// TestStopsQuietly holds that both binaries end well on SIGTERM when nobody needs them.
func TestStopsQuietly(t *testing.T) {
	g, c := gateway(t), controller(t)
	for name, process := range map[string]*stack.Process{"gateway": g.Process, "controller": c} {
		if code, err := process.Stop(within(t, patience)); code != 0 || err != nil {
			t.Errorf("%s: exit code %d (%v), want 0", name, code, err)
		}
	}
}
