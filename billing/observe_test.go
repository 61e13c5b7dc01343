package billing_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/tally"
)

// TestOneRequestForAll has many ask for the same at once: one request serves them, and
// counts for the one who began it.
func TestOneRequestForAll(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	signUp(t, w.client(t), "ada")
	c := w.started(t)
	w.stripe.ResetRequests()
	ctx, counter := tally.With(within(t), tally.Calls)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if _, err := c.Usage(ctx, "ada", model.UsagePeriodCurrent); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want := map[string]int{"GET /v1/customers/{id}": 1, "GET /v1/billing/meters/{id}/event_summaries": 1}
	if diff := cmp.Diff(want, w.stripe.Requests()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"stripe": 2}, counter.Counts()); diff != "" {
		t.Errorf("upstream calls (-want +got):\n%s", diff)
	}
}

// TestOperations has the metrics name operations as the stand-in does: by path template,
// whatever the ids.
func TestOperations(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	registry := prometheus.NewPedanticRegistry()
	register := func(o *billing.Options) { o.Registerer = registry }
	c := w.started(t, register)
	for _, login := range []string{"ada", "grace"} {
		if _, err := c.SignUp(within(t), model.Identity{Login: login, GithubID: 7}); err != nil {
			t.Fatal(err)
		}
		if err := c.ReportUsage(within(t), model.UsageReport{Login: login, BuildUID: login, Seconds: 1, FinishedAt: noon}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.started(t, register).Usage(within(t), login, model.UsagePeriodCurrent); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.PlanNow(within(t), &model.Account{}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, family := range families {
		if family.GetName() != "drydock_upstream_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "operation" {
					got[label.GetValue()] += int(metric.GetCounter().GetValue())
				}
			}
		}
	}
	if diff := cmp.Diff(w.stripe.Requests(), got); diff != "" {
		t.Errorf("(-counted by the stand-in +by the metrics):\n%s", diff)
	}
}
