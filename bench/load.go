package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// load is what a closed loop of clients saw: each sends its next request when the last one is answered.
type load struct {
	Requests int           `json:"requests"`
	Failures int           `json:"failures"`
	Elapsed  time.Duration `json:"elapsedNanoseconds"`
	taken    []time.Duration
}

// add joins two measurements of the same target.
func (l *load) add(other load) {
	l.Requests += other.Requests
	l.Failures += other.Failures
	l.Elapsed += other.Elapsed
	l.taken = append(l.taken, other.taken...)
}

// quantile is the latency that this part of the requests did not exceed (nearest rank).
func quantile(taken []time.Duration, part float64) time.Duration {
	if len(taken) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(taken))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

// target is an address that answers a POST of body with want.
type target struct {
	url        string
	header     http.Header
	body, want []byte
}

// drive asks a target by that many workers for that long. An answer that is not the wanted one is a failure.
func drive(ctx context.Context, t target, workers int, duration time.Duration) load {
	transport := &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport}
	results := make([]load, workers)
	started := time.Now()
	end := started.Add(duration)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				sent := time.Now()
				err := t.ask(ctx, browser)
				results[i].taken = append(results[i].taken, time.Since(sent))
				if results[i].Requests++; err != nil {
					results[i].Failures++
				}
			}
		})
	}
	group.Wait()
	var sum load
	for _, each := range results {
		sum.add(each)
	}
	sum.Elapsed = time.Since(started)
	return sum
}

// ask sends one request and compares the answer.
func (t target) ask(ctx context.Context, browser *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(t.body))
	if err != nil {
		return err
	}
	request.Header = t.header
	response, err := browser.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !bytes.Equal(answer, t.want) {
		return fmt.Errorf("status %d, %d bytes: not the answer that came first", response.StatusCode, len(answer))
	}
	return nil
}
