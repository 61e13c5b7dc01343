package billing_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/staleness"
	"drydock.dev/drydock/tally"
)

// trouble is a way in which the road to Stripe fails.
type trouble struct {
	name  string
	fault billingtest.Fault
	// between is the road's own trouble; nil: the stand-in itself fails.
	between func(*road) *atomic.Int32
}

var troubles = []trouble{
	{name: "rate limit", fault: billingtest.Fault{Status: 429, Reason: "endpoint-rate", RetryAfter: "0"}},
	{name: "lock", fault: billingtest.Fault{Status: 429, Code: "lock_timeout"}},
	{name: "500", fault: billingtest.Fault{Status: 500}},
	{name: "503", fault: billingtest.Fault{Status: 503}},
	{name: "slow", fault: billingtest.Fault{Latency: time.Minute}},
	{name: "cut before", fault: billingtest.Fault{DropBefore: true}},
	{name: "cut after", fault: billingtest.Fault{DropAfter: true}},
	{name: "500 after", fault: billingtest.Fault{Status: 500, AfterEffect: true}},
	{name: "500 kept", fault: billingtest.Fault{Status: 500, Kept: true}},
	{name: "500 kept after", fault: billingtest.Fault{Status: 500, AfterEffect: true, Kept: true}},
	{name: "garbage", between: func(r *road) *atomic.Int32 { return &r.forged }},
	{name: "outage", between: func(r *road) *atomic.Int32 { return &r.refused }},
}

// TestMatrix has each trouble meet each operation, and tells what the user gets, how many
// requests it cost and, of a write, how often it was done by then: "value 2" is an answer
// that is true after two requests, "stale 4" the last known one, marked as such, and
// "UNAVAILABLE 4 1" a failure after four, of a write whose effect is there all the same.
// "Kept" failures are saved by Stripe with the idempotency key.
//
// A request on a kept connection that breaks before the answer is made again by Go itself,
// and not counted. Once the trouble is over, the same call again has the right answer, and each write was
// done once.
func TestMatrix(t *testing.T) {
	cases := []struct {
		reason string
		// times is how many requests the trouble meets; below 0: all.
		times int
		want  string
	}{
		{reason: "one request meets it: the next one answers; a usage report that failed midway is for the controller to tell again", times: 1, want: `
                  | rate limit       | lock             | 500              | 503              | slow             | cut before       | cut after        | 500 after        | 500 kept         | 500 kept after   | garbage          | outage
Account, cold     | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Account, held     | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0
Account, dropped  | value 2          | value 2          | value 2          | value 2          | stale 1          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Account of nobody | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 2      | NOT_FOUND 2      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3      | NOT_FOUND 3
Accounts          | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Plans, dropped    | value 4          | value 4          | value 4          | value 4          | stale 2          | value 3          | value 3          | value 4          | value 4          | value 4          | value 4          | value 4
Plan, off offer   | value 3          | value 3          | value 3          | value 3          | value 3          | value 2          | value 2          | value 3          | value 3          | value 3          | value 3          | value 3
PlanNow           | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Usage, cold       | value 3          | value 3          | value 3          | value 3          | value 3          | value 2          | value 2          | value 3          | value 3          | value 3          | value 3          | value 3
Usage, held       | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0
Usage, dropped    | value 6          | value 6          | value 6          | value 6          | stale 5          | value 5          | value 5          | value 6          | value 6          | value 6          | value 6          | value 6
SignUp            | value 4 1        | value 4 1        | value 4 1        | value 4 1        | value 4 1        | value 3 1        | value 4 1        | value 5 1        | value 7 1        | value 6 1        | value 4 1        | value 4 1
ReportUsage       | value 2 1        | value 2 1        | value 2 1        | value 2 1        | value 2 1        | value 1 1        | value 1 1        | value 2 1        | UNAVAILABLE 2 0  | UNAVAILABLE 2 1  | value 2 1        | value 2 1
RaiseTokenEpoch   | value 3 1        | value 3 1        | value 3 1        | value 3 1        | value 3 1        | value 2 1        | value 2 1        | value 3 1        | value 4 1        | value 4 1        | value 3 1        | value 3 1
Checkout          | value 4          | value 4          | value 4          | value 4          | value 4          | value 3          | value 3          | value 4          | value 5          | value 5          | value 4          | value 4
Portal            | value 3          | value 3          | value 3          | value 3          | value 3          | value 2          | value 2          | value 3          | value 4          | value 4          | value 3          | value 3
Hold, cold        | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Hold, dropped     | value 2          | value 2          | value 2          | value 2          | stale 1          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
Metered           | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
CatchUp           | value 2          | value 2          | value 2          | value 2          | value 2          | value 1          | value 1          | value 2          | value 2          | value 2          | value 2          | value 2
`},
		{reason: "it lasts: old answers stand in, and what needs a new one fails in its own way", times: -1, want: `
                  | rate limit       | lock             | 500              | 503              | slow             | cut before       | cut after        | 500 after        | 500 kept         | 500 kept after   | garbage          | outage
Account, cold     | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
Account, held     | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0
Account, dropped  | stale 4          | stale 4          | stale 4          | stale 4          | stale 1          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4
Account of nobody | RATE_LIMITED 5   | RATE_LIMITED 5   | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 3    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 4    | UNAVAILABLE 4
Accounts          | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
Plans, dropped    | stale 6          | stale 6          | stale 6          | stale 6          | stale 2          | stale 6          | stale 6          | stale 6          | stale 6          | stale 6          | stale 5          | stale 5
Plan, off offer   | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
PlanNow           | value 4          | value 4          | value 4          | value 4          | value 2          | value 4          | value 4          | value 4          | value 4          | value 4          | value 4          | value 4
Usage, cold       | RATE_LIMITED 5   | RATE_LIMITED 5   | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 3    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 4    | UNAVAILABLE 4
Usage, held       | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0          | value 0
Usage, dropped    | stale 8          | stale 8          | stale 8          | stale 8          | stale 5          | stale 8          | stale 8          | stale 8          | stale 8          | stale 8          | stale 5          | stale 5
SignUp            | RATE_LIMITED 6 0 | RATE_LIMITED 6 0 | UNAVAILABLE 6 0  | UNAVAILABLE 6 0  | UNAVAILABLE 4 0  | UNAVAILABLE 6 0  | UNAVAILABLE 6 1  | UNAVAILABLE 6 1  | UNAVAILABLE 8 0  | value 6 1        | UNAVAILABLE 4 0  | UNAVAILABLE 4 0
ReportUsage       | RATE_LIMITED 4 0 | RATE_LIMITED 4 0 | UNAVAILABLE 4 0  | UNAVAILABLE 4 0  | UNAVAILABLE 2 0  | UNAVAILABLE 4 0  | UNAVAILABLE 4 1  | UNAVAILABLE 4 1  | UNAVAILABLE 2 0  | UNAVAILABLE 2 1  | UNAVAILABLE 4 0  | UNAVAILABLE 4 0
RaiseTokenEpoch   | RATE_LIMITED 5 0 | RATE_LIMITED 5 0 | UNAVAILABLE 5 0  | UNAVAILABLE 5 0  | UNAVAILABLE 3 0  | UNAVAILABLE 5 0  | UNAVAILABLE 5 1  | UNAVAILABLE 5 1  | UNAVAILABLE 5 0  | UNAVAILABLE 5 1  | UNAVAILABLE 4 0  | UNAVAILABLE 4 0
Checkout          | RATE_LIMITED 6   | RATE_LIMITED 6   | UNAVAILABLE 6    | UNAVAILABLE 6    | UNAVAILABLE 4    | UNAVAILABLE 6    | UNAVAILABLE 6    | UNAVAILABLE 6    | UNAVAILABLE 6    | UNAVAILABLE 6    | UNAVAILABLE 4    | UNAVAILABLE 4
Portal            | RATE_LIMITED 5   | RATE_LIMITED 5   | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 3    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 5    | UNAVAILABLE 4    | UNAVAILABLE 4
Hold, cold        | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
Hold, dropped     | stale 4          | stale 4          | stale 4          | stale 4          | stale 1          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4          | stale 4
Metered           | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
CatchUp           | RATE_LIMITED 4   | RATE_LIMITED 4   | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 2    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4    | UNAVAILABLE 4
`},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got := table(t, c.times)
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), got); diff != "" {
				t.Errorf("(-want +got):\n%s\nthe whole:\n%s", diff, got)
			}
		})
	}
}

// meet has a trouble meet an operation, once begin returns.
func meet(t *testing.T, o operation, trouble trouble, times int, begin func()) string {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	plenty := func(o *billing.Options) {
		o.Limits = billing.Limits{Total: 1e5, Endpoint: 1e5, Search: 1e5}
	}
	w.add(t, "ada")
	road := newRoad(t)
	c := w.started(t, plenty, func(o *billing.Options) {
		o.HTTP = road
		if trouble.fault.Latency > 0 {
			o.Timeout, o.Retry.Within, o.Patience = 4*time.Second, 6*time.Second, 2*time.Second
		}
	})
	if o.before != nil {
		o.before(t, w, c)
	}
	if trouble.between != nil {
		road.connection.CloseIdleConnections()
		trouble.between(road).Store(int32(times))
	} else {
		trouble.fault.Match, trouble.fault.Times = o.request, times
		w.stripe.Inject(trouble.fault)
	}
	begin()
	got, requests := outcome(within(t), c, o)
	cell := fmt.Sprint(got, " ", requests-int(road.conflicts.Load()))
	if o.done != nil {
		cell += fmt.Sprint(" ", o.done(t, w))
	}

	w.stripe.ClearFaults()
	road.refused.Store(0)
	road.forged.Store(0)
	until(t, "Stripe is taken to be up again", func() bool { return c.CatchUp(within(t)) == nil })
	want := "value"
	if o.name == "Account of nobody" {
		want = string(fault.NotFound)
	}
	until(t, "the right answer after the trouble", func() bool {
		w.clock.Advance(10 * time.Second) // old answers stand in for some seconds yet
		got, _ := outcome(within(t), c, o)
		return got == want
	})
	if o.done != nil && o.done(t, w) != 1 {
		t.Errorf("done %d times in the end, want once", o.done(t, w))
	}
	return cell
}

// outcome runs an operation: what its caller gets, after how many requests.
func outcome(ctx context.Context, c *billing.Client, o operation) (got string, requests int) {
	var stale atomic.Bool
	ctx = staleness.With(ctx, func(context.Context, time.Duration) { stale.Store(true) })
	ctx, calls := tally.With(ctx, tally.Calls)
	err := o.run(ctx, c)
	got = "value"
	switch {
	case err != nil:
		got = string(fault.KindOf(err))
	case stale.Load():
		got = "stale"
	}
	return got, calls.Counts()["stripe"]
}

// table has a row for each operation and a column for each trouble.
func table(t *testing.T, times int) string {
	t.Helper()
	cells := make([][]string, len(operations))
	for i := range operations {
		cells[i] = make([]string, len(troubles))
	}
	// Who waits for time to pass does so with all others, and while nobody else is busy.
	var waiting, prepared sync.WaitGroup
	places := make(chan struct{}, 6)
	column := func(k int, trouble trouble, all *sync.WaitGroup, slow bool) {
		for i, o := range operations {
			all.Go(func() {
				places <- struct{}{}
				leave := sync.OnceFunc(func() { <-places })
				defer leave()
				begin := func() {}
				if slow {
					ready := sync.OnceFunc(prepared.Done)
					defer ready()
					begin = func() { leave(); ready(); prepared.Wait() }
				}
				t.Run(o.name+", "+trouble.name, func(t *testing.T) { cells[i][k] = meet(t, o, trouble, times, begin) })
			})
		}
	}
	for k, trouble := range troubles {
		if trouble.fault.Latency > 0 {
			prepared.Add(len(operations))
			column(k, trouble, &waiting, true)
		}
	}
	waiting.Wait()
	var busy sync.WaitGroup
	for k, trouble := range troubles {
		if trouble.fault.Latency == 0 {
			column(k, trouble, &busy, false)
		}
	}
	busy.Wait()
	var text strings.Builder
	row := func(first string, rest []string) {
		line := fmt.Sprintf("%-17s", first)
		for _, cell := range rest {
			line += fmt.Sprintf(" | %-16s", cell)
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	var names []string
	for _, trouble := range troubles {
		names = append(names, trouble.name)
	}
	row("", names)
	for i, o := range operations {
		row(o.name, cells[i])
	}
	return text.String()
}
