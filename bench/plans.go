package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// planReplicas is how many gateways follow the plan's changes. Webhooks go to the first one.
const planReplicas = 3

// plans is how soon a plan that was changed in Stripe is shown by every replica.
type plans struct {
	Replicas int `json:"replicas"`
	Changes  int `json:"changes"`
	// From the moment the change is sent to Stripe until an open viewerChanged subscription at the last of the
	// replicas has told it.
	P50 time.Duration `json:"p50Nanoseconds"`
	P99 time.Duration `json:"p99Nanoseconds"`
	Max time.Duration `json:"maxNanoseconds"`
	// Webhooked is the median for the replica that the webhook went to.
	Webhooked time.Duration `json:"webhookedP50Nanoseconds"`
	// StripeRequests is what all replicas together asked Stripe, by the change.
	StripeRequests float64 `json:"stripeRequestsPerChange"`
}

// planNews is a limit that a replica told.
type planNews struct {
	replica, images int
	at              time.Time
	err             error
}

// measurePlans changes a plan again and again, each time when every replica has shown the last change.
func (r *run) measurePlans(ctx context.Context) (_ *plans, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &plans{Replicas: planReplicas, Changes: r.changes}
	r.say("%d changes of a plan at %d replicas", p.Changes, p.Replicas)
	news := make(chan planNews, planReplicas)
	for i := range planReplicas {
		g, err := r.house.Gateway(ctx, "--catch-up-every=1h", "--replicas="+strconv.Itoa(planReplicas))
		if err != nil {
			return nil, err
		}
		defer func() { _, _ = g.Stop(context.WithoutCancel(ctx)) }()
		if i == 0 {
			r.house.Stripe.Tell(g)
			defer r.house.Stripe.Untell()
		}
		if err := followPlan(ctx, g, i, news); err != nil {
			return nil, err
		}
	}
	before := len(r.house.Stripe.Requests())
	if err := r.changePlan(ctx, p, news); err != nil {
		return nil, err
	}
	p.StripeRequests = float64(len(r.house.Stripe.Requests())-before) / float64(p.Changes)
	return p, nil
}

func (r *run) changePlan(ctx context.Context, p *plans, news <-chan planNews) error {
	product, err := r.house.Stripe.DefaultProduct(ctx)
	if err != nil {
		return err
	}
	var lasts, firsts []time.Duration
	for n := range p.Changes {
		want := 100 + n
		form := url.Values{"metadata[drydock.images]": {strconv.Itoa(want)}}
		sent := time.Now()
		if err := r.house.Stripe.Call(ctx, http.MethodPost, "/v1/products/"+product, form, &struct{}{}); err != nil {
			return err
		}
		last := time.Duration(0)
		deadline := time.After(30 * time.Second)
		for told := 0; told < p.Replicas; {
			select {
			case now := <-news:
				if now.err != nil {
					return now.err
				}
				if now.images != want {
					continue // the present state, or the change before told once more
				}
				told++
				last = max(last, now.at.Sub(sent))
				if now.replica == 0 {
					firsts = append(firsts, now.at.Sub(sent))
				}
			case <-deadline:
				return errors.New("not every replica told of change " + strconv.Itoa(n))
			}
		}
		lasts = append(lasts, last)
	}
	p.P50, p.P99, p.Max, p.Webhooked = quantile(lasts, 0.50), quantile(lasts, 0.99), quantile(lasts, 1), quantile(firsts, 0.50)
	return nil
}

// followPlan signs somebody in at a replica and reports each limit that it tells, each one once.
func followPlan(ctx context.Context, g *stack.Gateway, replica int, news chan<- planNews) error {
	browser := client.New(g.URL)
	if err := browser.SignIn(ctx, fmt.Sprintf("plans-%d", replica)); err != nil {
		return err
	}
	stream, err := browser.WebSocket(ctx, client.Request{Query: `subscription { viewerChanged { plan { limits { images } } } }`})
	if err != nil {
		return err
	}
	go func() {
		last := -1
		for {
			var data struct {
				ViewerChanged struct {
					Plan struct{ Limits struct{ Images int } }
				}
			}
			err := stream.Next(&data)
			now := planNews{replica: replica, images: data.ViewerChanged.Plan.Limits.Images, at: time.Now(), err: err}
			if err == nil && now.images == last {
				continue
			}
			last = now.images
			select {
			case news <- now:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return nil
}
