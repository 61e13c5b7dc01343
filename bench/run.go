package main

import (
	"context"
	"fmt"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// run is one run of the benchmark.
type run struct {
	settings
	house      *stack.Stack
	kubernetes *stack.Kubernetes
	gateway    *stack.Gateway
	dir        string
	say        func(format string, values ...any)
	// image is the id of the image whose builds are watched.
	image string
}

// measure starts one gateway and measures it.
func (r *run) measure(ctx context.Context, on machine) (_ *result, err error) {
	if r.kubernetes, err = r.house.Kubernetes(); err != nil {
		return nil, err
	}
	if r.gateway, err = r.house.Gateway(ctx); err != nil {
		return nil, err
	}
	browser := client.New(r.gateway.URL)
	r.say("filling the account: %d images with %d builds each", images, builds)
	if err := r.furnish(ctx, browser); err != nil {
		return nil, err
	}
	result := &result{Started: time.Now().UTC().Truncate(time.Second), Quick: r.quick, Machine: on}
	if result.Dashboard, err = r.measureDashboard(ctx, browser); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if result.Subscribers, err = r.measureSubscribers(ctx, browser); err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	if result.App, err = r.measureApp(ctx, browser); err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	if result.Plans, err = r.measurePlans(ctx); err != nil {
		return nil, fmt.Errorf("plans: %w", err)
	}
	if result.Directory, err = r.measureDirectory(ctx); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return result, nil
}
