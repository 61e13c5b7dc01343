package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
	"drydock.dev/drydock/graph/model"
)

// catchUp is how often the replicas of these tests read Stripe's events.
const catchUp = "--catch-up-every=2s"

// TestPlanReachesEveryReplica changes a plan in Stripe, as its dashboard does, and holds that every replica shows it,
// those too that no webhook goes to; and that open subscriptions tell it. `make bench` has how long it takes.
func TestPlanReachesEveryReplica(t *testing.T) {
	replicas := []*stack.Gateway{gateway(t, "--catch-up-every=1h"), gateway(t, "--catch-up-every=1h"), gateway(t, "--catch-up-every=1h")}
	house.Stripe.Tell(replicas[0])
	t.Cleanup(house.Stripe.Untell)
	plan := freePlan(t)
	ada := signIn(t, replicas[0].URL, "ada")
	var streams []client.Stream
	for _, replica := range replicas {
		stream, err := ada.At(replica.URL).WebSocket(within(t, patience), client.Request{Query: `subscription { viewerChanged { plan { limits { images } } } }`})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stream.Close() })
		streams = append(streams, stream)
	}
	const changes = 10
	for n := range changes {
		want := 1000 + n
		setImages(t, plan, want)
		for i, stream := range streams {
			awaitImages(t, i, stream, want)
		}
		for i, replica := range replicas {
			if got, err := imagesOf(within(t, patience), replica, plan); err != nil || got != want {
				t.Errorf("replica %d shows %d images behind its subscription, want %d (%v)", i, got, want, err)
			}
		}
	}
}

// TestPlanHealsWithoutWebhooks holds the same with every webhook lost: the next look at Stripe's events finds it.
func TestPlanHealsWithoutWebhooks(t *testing.T) {
	replicas := []*stack.Gateway{gateway(t, catchUp), gateway(t, catchUp), gateway(t, catchUp)}
	plan := freePlan(t)
	const want = 2000
	setImages(t, plan, want)
	for i, replica := range replicas {
		eventually(t, func() error {
			got, err := imagesOf(t.Context(), replica, plan)
			if err == nil && got != want {
				err = fmt.Errorf("replica %d shows %d images, want %d", i, got, want)
			}
			return err
		})
	}
}

// awaitImages reads a subscription until it tells the limit.
func awaitImages(t *testing.T, replica int, stream client.Stream, want int) {
	t.Helper()
	for {
		var data struct {
			ViewerChanged struct {
				Plan struct{ Limits struct{ Images int } }
			}
		}
		if err := stream.Next(&data); err != nil {
			t.Fatalf("replica %d: before it told of %d images: %v", replica, want, err)
		}
		if data.ViewerChanged.Plan.Limits.Images == want {
			return
		}
	}
}

// freePlan is the product of the plan of accounts without a subscription. Its limit of images is put back in the end.
func freePlan(t *testing.T) string {
	t.Helper()
	product, err := house.Stripe.DefaultProduct(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	before, err := imagesOf(within(t, patience), gateway(t), product)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { setImages(t, product, before) })
	return product
}

// setImages changes a plan's limit by a plain call of Stripe's API.
func setImages(t *testing.T, product string, images int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	form := url.Values{"metadata[drydock.images]": {strconv.Itoa(images)}}
	if err := house.Stripe.Call(ctx, http.MethodPost, "/v1/products/"+product, form, &struct{}{}); err != nil {
		t.Fatal(err)
	}
}

// imagesOf is a plan's limit of images as a replica shows it to anybody.
func imagesOf(ctx context.Context, g *stack.Gateway, product string) (int, error) {
	var data struct {
		Plans []struct {
			ID     string
			Limits struct{ Images int }
		}
	}
	if err := client.New(g.URL).Do(ctx, client.Request{Query: `{ plans { id limits { images } } }`}, &data); err != nil {
		return 0, err
	}
	for _, plan := range data.Plans {
		if plan.ID == model.EncodeID(model.KindPlan, product) {
			return plan.Limits.Images, nil
		}
	}
	return 0, fmt.Errorf("there is no plan of %s: %+v", product, data.Plans)
}
