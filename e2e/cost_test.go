package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"drydock.dev/drydock/bench/queries"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// TestDashboardCost counts what the reference query asks of the upstreams, from outside. A change that asks more is
// one that Stripe's rate limits will feel.
func TestDashboardCost(t *testing.T) {
	first, second := gateway(t), gateway(t)
	ada := signIn(t, first.URL, "ada")
	for i := range 20 {
		ada.createImage(fmt.Sprintf("image-%d", i), house.Git+"/any.git")
	}
	ada.moveTo(second) // it knows nothing of the account but its id
	for _, g := range []*stack.Gateway{first, second} {
		filled(t, g)
	}
	for _, c := range []struct {
		reason string
		stripe int
	}{
		{"cold: the account with its subscription, the usage of the period", 2},
		{"warm: everything is in the cache", 0},
	} {
		stripe, kube := len(stripeRequests()), len(kubernetesRequests(t))
		if images := ada.dashboard(); images != 20 {
			t.Errorf("%d images, want 20", images)
		}
		if asked := stripeRequests()[stripe:]; len(asked) > c.stripe {
			t.Errorf("%s: %d requests to Stripe, want at most %d: %+v", c.reason, len(asked), c.stripe, asked)
		}
		if asked := kubernetesRequests(t)[kube:]; len(asked) > 0 {
			t.Errorf("%s: requests to Kubernetes, want none beyond the standing watches: %+v", c.reason, asked)
		}
	}
}

// filled waits until a gateway has read all customers, which it does in the background once: it asks for no customer
// by a search then.
func filled(t *testing.T, g *stack.Gateway) {
	t.Helper()
	eventually(t, func() error {
		metrics, err := client.New(g.URL).Send(within(t, patience), http.MethodGet, "/metrics", "", nil)
		if err == nil && !strings.Contains(string(metrics.Body), "drydock_directory_complete 1\n") {
			err = errors.New("the directory of accounts is not complete")
		}
		return err
	})
}

// stripeRequests are all that were made but the looks at the list of events, which come by the clock.
func stripeRequests() []stack.StripeRequest {
	return slices.DeleteFunc(slices.Clone(house.Stripe.Requests()), func(r stack.StripeRequest) bool { return r.Path == "/v1/events" })
}

// dashboard runs the reference query and returns how many images came.
func (a *actor) dashboard() int {
	a.t.Helper()
	var data struct {
		Viewer struct {
			Usage  struct{ BuildSeconds int }
			Images struct {
				Edges []struct{ Node struct{ Name string } }
			}
		}
	}
	a.do(queries.Dashboard, nil, &data)
	return len(data.Viewer.Images.Edges)
}

// many is how many subscribers cost as many watches as one does.
const many = 1000

// TestWatchesShared holds that subscribers cost no Kubernetes watches of their own.
func TestWatchesShared(t *testing.T) {
	before := len(kubernetesRequests(t))
	g := gateway(t)
	controller(t)
	gate := newGate(t, "watches")
	ada := signIn(t, g.URL, "ada")
	image := ada.createImage("hello", gate.Repository, gate.Argument)
	started := ada.startBuild(image)
	gate.await(t, 1)

	streams := []client.Stream{ada.watch((*client.Client).WebSocket, image)}
	if _, err := next(streams[0]); err != nil {
		t.Fatal(err)
	}
	one := watches(t, before)
	for range many - 1 {
		streams = append(streams, ada.watch((*client.Client).WebSocket, image))
	}
	gate.open()
	var subscribers sync.WaitGroup
	problems := make(chan error, many)
	for _, stream := range streams {
		subscribers.Go(func() {
			var b build
			var err error
			for err == nil && !b.done() {
				b, err = next(stream)
			}
			if err != nil || b.ID != started.ID || b.Phase != "SUCCEEDED" {
				problems <- fmt.Errorf("%v: %w", b, err)
			}
		})
	}
	subscribers.Wait()
	close(problems)
	for err := range problems {
		t.Fatal("one subscriber at least:", err)
	}
	if all := watches(t, before); len(all) != len(one) || len(one) == 0 {
		t.Errorf("%d watches for one subscriber, %d for %d:\n%s", len(one), len(all), many, strings.Join(all, "\n"))
	}
}

// watches are the watches that gateways opened after that many requests.
func watches(t *testing.T, before int) []string {
	t.Helper()
	var paths []string
	for _, r := range kubernetesRequests(t)[before:] {
		if r.Verb == "watch" {
			paths = append(paths, r.Namespace+"/"+r.Resource)
		}
	}
	return paths
}

// kubernetesRequests are all that gateways made.
func kubernetesRequests(t *testing.T) []clustertest.Event {
	t.Helper()
	requests, err := house.KubernetesRequests(stack.GatewayAgent)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}
