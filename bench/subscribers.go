package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// subscribers is what many WebSocket clients on buildChanged of one account cost, and how soon a status write is told
// to each of them.
type subscribers struct {
	Count  int `json:"count"`
	Writes int `json:"writes"`
	// From the moment the status write is sent to the API server until a client has read the event.
	P50 time.Duration `json:"p50Nanoseconds"`
	P99 time.Duration `json:"p99Nanoseconds"`
	Max time.Duration `json:"maxNanoseconds"`
	// All is the median, over the writes, of the time until the last client has it.
	All time.Duration `json:"allP50Nanoseconds"`
	// Write is the median time of the status write itself: the API server's and etcd's part.
	Write time.Duration `json:"writeP50Nanoseconds"`
	// WatchesOfOne and Watches are how many Kubernetes watches the gateway opened until it had one subscriber, and all.
	WatchesOfOne int `json:"watchesOfOne"`
	Watches      int `json:"watches"`
	// Before and With are the gateway's memory without and with all of them, PerSubscriber the difference for each.
	Before        memory  `json:"before"`
	With          memory  `json:"with"`
	PerSubscriber int64   `json:"residentBytesPerSubscriber"`
	Goroutines    float64 `json:"goroutinesPerSubscriber"`
}

// crowd is the subscribers of one build.
type crowd struct {
	browser *client.Client
	build   string
	// seen gets the message of every event and when it was read.
	seen  chan sighting
	group sync.WaitGroup
}

type sighting struct {
	message string
	at      time.Time
	err     error
}

// join opens that many more subscriptions and waits until each has the present state.
func (c *crowd) join(ctx context.Context, count int) error {
	for range count {
		stream, err := c.browser.WebSocket(ctx, client.Request{
			Query:     `subscription($id: ID!) { buildChanged(id: $id) { phase message } }`,
			Variables: map[string]any{"id": c.build},
		})
		if err != nil {
			return err
		}
		c.group.Go(func() { c.read(ctx, stream) })
	}
	for range count {
		select {
		case first := <-c.seen:
			if first.err != nil {
				return first.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *crowd) read(ctx context.Context, stream client.Stream) {
	for {
		var data struct{ BuildChanged struct{ Message *string } }
		err := stream.Next(&data)
		now := sighting{at: time.Now(), err: err}
		if data.BuildChanged.Message != nil {
			now.message = *data.BuildChanged.Message
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case c.seen <- now:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// measureSubscribers opens the subscriptions and follows status writes to all of them.
func (r *run) measureSubscribers(ctx context.Context, browser *client.Client) (*subscribers, error) {
	ctx, cancel := context.WithCancel(ctx)
	id, path, err := r.freshBuild(ctx, browser)
	if err != nil {
		cancel()
		return nil, err
	}
	c := &crowd{browser: browser, build: id, seen: make(chan sighting, r.subscribers)}
	defer c.group.Wait()
	defer cancel()
	s := &subscribers{Count: r.subscribers, Writes: r.writes}
	r.say("%d subscribers", r.subscribers)
	if s.Before, err = memoryOf(r.gateway.PID()); err != nil {
		return nil, err
	}
	alone, err := scrape(ctx, browser)
	if err != nil {
		return nil, err
	}
	if err := c.join(ctx, 1); err != nil {
		return nil, err
	}
	if s.WatchesOfOne, err = r.watches(); err != nil {
		return nil, err
	}
	if err := c.join(ctx, r.subscribers-1); err != nil {
		return nil, err
	}
	if err := r.followWrites(ctx, c, path, s); err != nil {
		return nil, err
	}
	crowded, err := scrape(ctx, browser)
	if err != nil {
		return nil, err
	}
	if s.With, err = memoryOf(r.gateway.PID()); err != nil {
		return nil, err
	}
	s.PerSubscriber = (s.With.Resident - s.Before.Resident) / int64(s.Count)
	s.Goroutines = (crowded[goroutines] - alone[goroutines]) / float64(s.Count)
	s.Watches, err = r.watches()
	return s, err
}

// followWrites writes the build's status again and again, each time when everybody has seen the last one.
func (r *run) followWrites(ctx context.Context, c *crowd, path string, s *subscribers) error {
	var each, all, writes []time.Duration
	for i := range s.Writes {
		message := fmt.Sprintf("write %d", i)
		sent := time.Now()
		if err := r.kubernetes.Patch(ctx, path, map[string]any{"status": map[string]any{"phase": "Running", "message": message}}); err != nil {
			return err
		}
		writes = append(writes, time.Since(sent))
		last := time.Duration(0)
		deadline := time.After(30 * time.Second)
		for range s.Count {
			select {
			case now := <-c.seen:
				if now.err != nil || now.message != message {
					return fmt.Errorf("a subscriber saw %q in place of %q: %w", now.message, message, now.err)
				}
				each, last = append(each, now.at.Sub(sent)), max(last, now.at.Sub(sent))
			case <-deadline:
				return errors.New("not every subscriber was told of " + message)
			}
		}
		all = append(all, last)
	}
	s.P50, s.P99, s.Max = quantile(each, 0.50), quantile(each, 0.99), quantile(each, 1)
	s.All, s.Write = quantile(all, 0.50), quantile(writes, 0.50)
	return nil
}

// freshBuild starts a build, which waits for ever as no controller runs: its id, and the path of its status.
func (r *run) freshBuild(ctx context.Context, browser *client.Client) (id, path string, err error) {
	before, err := r.listBuilds(ctx)
	if err != nil {
		return "", "", err
	}
	if id, err = startBuild(ctx, browser, r.image); err != nil {
		return "", "", err
	}
	all, err := r.listBuilds(ctx)
	if err != nil {
		return "", "", err
	}
	for _, build := range all {
		if !slices.Contains(before, build) {
			return id, build.statusPath(), nil
		}
	}
	return "", "", errors.New("the build that was started is not in Kubernetes")
}

// watches is how many watches the gateway has opened in its life.
func (r *run) watches() (int, error) {
	requests, err := r.house.KubernetesRequests(stack.GatewayAgent)
	count := 0
	for _, request := range requests {
		if request.Verb == "watch" {
			count++
		}
	}
	return count, err
}
