package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// directory is how a fresh process comes to know which customer each login is.
type directory struct {
	Customers int `json:"customers"`
	// Ready is until requests are served, Full until all customers are known.
	Ready time.Duration `json:"readyNanoseconds"`
	Full  time.Duration `json:"fullNanoseconds"`
	// Pages are the lists of customers, Requests all that Stripe was asked meanwhile.
	Pages    int `json:"pages"`
	Requests int `json:"requests"`
	// Bytes is what the heap holds more when it is full than before.
	Bytes int64 `json:"bytes"`
	// Reads are accounts asked for meanwhile, at random.
	Reads   int           `json:"reads"`
	ReadP50 time.Duration `json:"readP50Nanoseconds"`
	ReadMax time.Duration `json:"readMaxNanoseconds"`
}

// customersCommand makes this binary a stand-in with many customers: customers ADDRESS COUNT.
const customersCommand = "customers"

const customersKey = "sk_test_bench"

// serveCustomers serves a stand-in whose customers came over three years, with the rate limits of test mode.
func serveCustomers(ctx context.Context, address, count string) error {
	customers, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	stand, err := billingtest.New(billingtest.Options{Key: customersKey})
	if err != nil {
		return err
	}
	now, gap := time.Now(), 3*365*24*time.Hour/time.Duration(customers)
	for n := range customers {
		if _, err := stand.AddCustomer(developer(n), now.Add(-gap*time.Duration(customers-n))); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: stand}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return stand.Close()
}

func developer(n int) string { return fmt.Sprintf("developer-%06d", n) }

// measureDirectory fills a directory from a stand-in in a process of its own.
func (r *run) measureDirectory(ctx context.Context) (*directory, error) {
	r.say("filling a directory of %d accounts", r.customers)
	address, err := stack.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process, err := stack.Run("customers", binary, []string{customersCommand, address, strconv.Itoa(r.customers)}, nil, io.Discard)
	if err != nil {
		return nil, err
	}
	defer process.Kill()
	asked := client.New("http://" + address)
	requests := func() (counts map[string]int, err error) {
		answer, err := asked.Send(ctx, http.MethodGet, "/_drydock/requests", "", nil)
		if err != nil {
			return nil, fmt.Errorf("the stand-in: %w: %s", err, process.Output())
		}
		return counts, json.Unmarshal(answer.Body, &counts)
	}
	if err := stack.Until(ctx, func() error { _, err := requests(); return err }); err != nil {
		return nil, err
	}

	before := heap()
	money, err := billing.New(billing.Options{Key: customersKey, APIBase: "http://" + address})
	if err != nil {
		return nil, err
	}
	defer money.Close()
	began, result := time.Now(), &directory{Customers: r.customers}
	if err := money.Start(ctx); err != nil {
		return nil, err
	}
	if err := money.Ready(); err != nil {
		return nil, err
	}
	result.Ready = time.Since(began)
	reads, err := result.read(ctx, money)
	if err != nil {
		return nil, err
	}
	result.Full, result.Bytes = time.Since(began), heap()-before
	result.Reads, result.ReadP50, result.ReadMax = len(reads), quantile(reads, 0.5), quantile(reads, 1)
	counts, err := requests()
	if err != nil {
		return nil, err
	}
	result.Pages = counts["GET /v1/customers"]
	for _, n := range counts {
		result.Requests += n
	}
	if accounts := money.Details()["accounts"]; accounts != r.customers {
		return nil, fmt.Errorf("the directory has %v accounts of %d", accounts, r.customers)
	}
	return result, nil
}

// read asks for an account every second, as people who sign in, until the directory is full.
func (d *directory) read(ctx context.Context, money *billing.Client) (taken []time.Duration, err error) {
	next := time.Now()
	for {
		if money.Details()["directoryComplete"].(bool) {
			return taken, nil
		}
		if !time.Now().Before(next) {
			next = next.Add(time.Second)
			began := time.Now()
			if _, err := money.Account(ctx, developer(rand.IntN(d.Customers))); err != nil {
				return nil, err
			}
			taken = append(taken, time.Since(began))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// heap is what the heap holds when nothing is left to collect.
func heap() int64 {
	for range 2 { // what finalizers let go is collected by the second
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
