package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// twenty is how many builds are on their way when something is killed.
const twenty = 20

// startTwenty starts twenty builds of an image, and returns them when some stand at the gate: in the middle.
func (a *actor) startTwenty(g *gate) []build {
	a.t.Helper()
	image := a.createImage("twenty", g.Repository, g.Argument)
	var builds []build
	for range twenty {
		builds = append(builds, a.startBuild(image))
	}
	g.await(a.t, twenty/4)
	if a.noProcess() == nil {
		a.t.Fatal("builds stand at the gate, and no process of theirs is seen: the test looks in the wrong place")
	}
	return builds
}

// checkTwenty waits until all twenty builds have ended and were metered, then holds that each succeeded, was told to
// Stripe exactly once and in full, and that nothing of them is left running.
func (a *actor) checkTwenty() {
	a.t.Helper()
	ctx := within(a.t, patience)
	var builds []build
	eventually(a.t, func() (err error) {
		if builds, err = a.builds(ctx); err != nil {
			return err
		}
		for _, b := range builds {
			if !b.done() || b.BilledSeconds == nil {
				return fmt.Errorf("%v, billed: %t", b, b.BilledSeconds != nil)
			}
		}
		return nil
	})
	if len(builds) != twenty {
		a.t.Errorf("there are %d builds, want %d", len(builds), twenty)
	}
	var ran, billed int64
	for _, b := range builds {
		if b.Phase != "SUCCEEDED" {
			a.t.Errorf("%v: nothing was wrong with it", b)
		}
		ran, billed = ran+*b.DurationSeconds, billed+*b.BilledSeconds
	}
	metered, err := house.Stripe.Metered(ctx, a.login)
	if err != nil {
		a.t.Fatal(err)
	}
	if ran != billed || billed != metered || metered == 0 {
		a.t.Errorf("the builds ran %d s, say they billed %d s, Stripe's meter says %d s", ran, billed, metered)
	}
	a.checkIdentifiers()
	a.checkNothingRuns()
}

// checkIdentifiers holds that the meter took one event for each build that took time, under the Build's UID.
func (a *actor) checkIdentifiers() {
	a.t.Helper()
	taken := map[string]int{}
	for _, identifier := range house.Stripe.MeterEvents() {
		taken[identifier]++
	}
	for _, cr := range a.customResources() {
		want := 1
		if cr.Status.Billing.Seconds == 0 {
			want = 0
		}
		if got := taken[string(cr.UID)]; got != want {
			a.t.Errorf("the meter took %d events of build %d, which took %d s", got, cr.Spec.Number, cr.Status.Billing.Seconds)
		}
	}
}

// TestControllerKilled kills the controller while builds run and wait: whoever follows it brings them to their end.
func TestControllerKilled(t *testing.T) {
	ada := subscriber(t, "ada", "Scale")
	ada.moveTo(gateway(t))
	first := controller(t)
	gate := newGate(t, "controller-killed")
	ada.startTwenty(gate)
	first.Kill()
	gate.open() // builds end while nobody controls them
	controller(t)
	ada.checkTwenty()
}

// TestGatewayKilled kills the replica that all subscribers are at: they find what they missed at another one.
func TestGatewayKilled(t *testing.T) {
	ada := subscriber(t, "ada", "Scale")
	first, second := gateway(t), gateway(t)
	ada.moveTo(first)
	controller(t)
	gate := newGate(t, "gateway-killed")
	builds := ada.startTwenty(gate)

	ctx := within(t, patience)
	var subscribers sync.WaitGroup
	opened, lost := make(chan struct{}, twenty), make(chan struct{}, twenty)
	finals := make([]build, twenty)
	problems := make([]error, twenty)
	for i, b := range builds {
		open := transports[i%len(transports)].open
		subscribers.Go(func() {
			if _, err := follow(ctx, open, ada.Client, b.ID, opened); err == nil {
				problems[i] = errors.New("it ended before the replica was killed")
			}
			lost <- struct{}{}
			finals[i], problems[i] = follow(ctx, open, ada.At(second.URL), b.ID, opened)
		})
	}
	receive(t, opened, twenty)
	first.Kill()
	receive(t, lost, twenty)
	gate.open()
	subscribers.Wait()
	for i, err := range problems {
		if err != nil {
			t.Errorf("subscriber of build %d: %v", builds[i].Number, err)
		} else if finals[i].Phase != "SUCCEEDED" {
			t.Errorf("subscriber of build %d saw at last: %v", builds[i].Number, finals[i])
		}
	}
	ada.moveTo(second)
	ada.checkTwenty()
}

// follow subscribes to one build, tells opened when the present state came, and returns the state in which it ended.
func follow(ctx context.Context, open opener, c *client.Client, id string, opened chan<- struct{}) (build, error) {
	stream, err := open(c, ctx, client.Request{
		Query:     `subscription($id: ID!) { buildChanged(id: $id) { ` + buildFields + ` } }`,
		Variables: map[string]any{"id": id},
	})
	if err != nil {
		return build{}, err
	}
	defer func() { _ = stream.Close() }()
	for first := true; ; first = false {
		b, err := next(stream)
		if err != nil || b.done() {
			return b, err
		}
		if first {
			select {
			case opened <- struct{}{}:
			default: // nobody counts any more
			}
		}
	}
}

// receive takes n values.
func receive(t *testing.T, from <-chan struct{}, n int) {
	t.Helper()
	ctx := within(t, patience)
	for i := range n {
		select {
		case <-from:
		case <-ctx.Done():
			t.Fatalf("%d of %d came", i, n)
		}
	}
}

// TestSignUpRace signs one newcomer up at two replicas at once: Stripe has no unique metadata, Drydock sees to it.
func TestSignUpRace(t *testing.T) {
	replicas := []*stack.Gateway{gateway(t), gateway(t)}
	ctx := within(t, patience)
	for range 5 {
		login := fmt.Sprintf("racer-%d", logins.Add(1))
		var race sync.WaitGroup
		problems := make([]error, 2*len(replicas))
		for i := range problems {
			race.Go(func() { problems[i] = client.New(replicas[i%len(replicas)].URL).SignIn(ctx, login) })
		}
		race.Wait()
		if err := errors.Join(problems...); err != nil {
			t.Error(err)
		}
		customers, err := house.Stripe.Customers(ctx, login)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Sort(customers); len(customers) != 1 {
			t.Errorf("%s has the customers %v, want one", login, customers)
		}
	}
}
