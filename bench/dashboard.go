package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"drydock.dev/drydock/bench/queries"
	"drydock.dev/drydock/e2e/client"
)

// dashboard is the reference query, warm, against a plain handler that serves the same bytes.
type dashboard struct {
	Workers int     `json:"workers"`
	Bytes   int     `json:"bytes"`
	Gateway summary `json:"gateway"`
	Plain   summary `json:"plain"`
	// StripeRequests is how many all of the requests made together.
	StripeRequests int `json:"stripeRequests"`
	// AllocatedPerRequest is in bytes, AllocationsPerRequest a count; both of the gateway's whole process.
	AllocatedPerRequest   float64 `json:"allocatedBytesPerRequest"`
	AllocationsPerRequest float64 `json:"allocationsPerRequest"`
	// Idle and Loaded are the gateway's memory before and after.
	Idle   memory `json:"idle"`
	Loaded memory `json:"loaded"`
}

// summary is what a load came to.
type summary struct {
	Requests  int           `json:"requests"`
	Failures  int           `json:"failures"`
	PerSecond float64       `json:"requestsPerSecond"`
	P50       time.Duration `json:"p50Nanoseconds"`
	P90       time.Duration `json:"p90Nanoseconds"`
	P99       time.Duration `json:"p99Nanoseconds"`
}

func summarize(l load) summary {
	return summary{
		Requests: l.Requests, Failures: l.Failures, PerSecond: float64(l.Requests) / l.Elapsed.Seconds(),
		P50: quantile(l.taken, 0.50), P90: quantile(l.taken, 0.90), P99: quantile(l.taken, 0.99),
	}
}

// measureDashboard drives the gateway and the plain server in turn, so that both see the same machine.
func (r *run) measureDashboard(ctx context.Context, browser *client.Client) (*dashboard, error) {
	t, err := r.dashboardTarget(ctx, browser)
	if err != nil {
		return nil, err
	}
	d := &dashboard{Workers: r.workers, Bytes: len(t.want)}
	plain := t
	url, stop, err := r.startPlain(ctx, t.want)
	if err != nil {
		return nil, err
	}
	defer stop()
	plain.url = url
	if d.Idle, err = memoryOf(r.gateway.PID()); err != nil {
		return nil, err
	}
	drive(ctx, t, r.workers, r.duration/5) // warm up
	drive(ctx, plain, r.workers, r.duration/5)

	stripe := len(r.house.Stripe.Requests())
	before, err := scrape(ctx, browser)
	if err != nil {
		return nil, err
	}
	var gateway, baseline load
	for round := range r.rounds {
		r.say("dashboard, round %d of %d", round+1, r.rounds)
		gateway.add(drive(ctx, t, r.workers, r.duration))
		baseline.add(drive(ctx, plain, r.workers, r.duration))
	}
	after, err := scrape(ctx, browser)
	if err != nil {
		return nil, err
	}
	if gateway.Requests == 0 || baseline.Requests == 0 || gateway.Failures+baseline.Failures > 0 {
		return nil, fmt.Errorf("%d of %d answers of the gateway were not the expected one, %d of %d of the plain server",
			gateway.Failures, gateway.Requests, baseline.Failures, baseline.Requests)
	}
	d.Gateway, d.Plain, d.StripeRequests = summarize(gateway), summarize(baseline), len(r.house.Stripe.Requests())-stripe
	d.AllocatedPerRequest = (after[allocatedBytes] - before[allocatedBytes]) / float64(gateway.Requests)
	d.AllocationsPerRequest = (after[allocations] - before[allocations]) / float64(gateway.Requests)
	d.Loaded, err = memoryOf(r.gateway.PID())
	return d, err
}

// dashboardTarget asks the query until the answer is full, and takes it as the one that every later one has to equal.
func (r *run) dashboardTarget(ctx context.Context, browser *client.Client) (target, error) {
	body, err := json.Marshal(client.Request{Query: queries.Dashboard})
	if err != nil {
		return target{}, err
	}
	t := target{url: r.gateway.URL + "/graphql", body: body, header: http.Header{"Content-Type": {"application/json"}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, http.NoBody)
	if err != nil {
		return target{}, err
	}
	for _, cookie := range browser.HTTP.Jar.Cookies(request.URL) {
		request.AddCookie(cookie)
	}
	t.header.Set("Cookie", request.Header.Get("Cookie"))
	for range 2 { // the second answer is from the caches, as all later ones are
		response, err := browser.Send(ctx, http.MethodPost, "/graphql", "application/json", body)
		if err != nil {
			return target{}, err
		}
		var data struct {
			Viewer struct {
				Images struct {
					Edges []struct{ Node json.RawMessage }
				}
			}
		}
		if err := response.Decode(&data); err != nil {
			return target{}, err
		}
		if len(data.Viewer.Images.Edges) != images {
			return target{}, fmt.Errorf("the answer has %d images, want %d", len(data.Viewer.Images.Edges), images)
		}
		t.want = response.Body
	}
	return t, nil
}
