package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Customers are the ids of a login's Stripe customers: one, if all is well.
func (s *Stripe) Customers(ctx context.Context, login string) ([]string, error) {
	var page struct {
		Data []struct {
			ID       string
			Metadata map[string]string
		}
		HasMore bool `json:"has_more"`
	}
	var ids []string
	form := url.Values{"limit": {"100"}}
	for {
		if err := s.Call(ctx, http.MethodGet, "/v1/customers", form, &page); err != nil {
			return nil, err
		}
		for _, customer := range page.Data {
			if customer.Metadata["drydock.login"] == login {
				ids = append(ids, customer.ID)
			}
		}
		if !page.HasMore {
			return ids, nil
		}
		form.Set("starting_after", page.Data[len(page.Data)-1].ID)
	}
}

// customer is the one customer of a login.
func (s *Stripe) customer(ctx context.Context, login string) (string, error) {
	customers, err := s.Customers(ctx, login)
	if err != nil {
		return "", err
	}
	if len(customers) != 1 {
		return "", fmt.Errorf("%q has %d customers: sign in first", login, len(customers))
	}
	return customers[0], nil
}

// Subscribe subscribes a login to the plan of that name, as Checkout would.
func (s *Stripe) Subscribe(ctx context.Context, login, plan string) error {
	customer, err := s.customer(ctx, login)
	if err != nil {
		return err
	}
	prices, err := s.prices(ctx, plan)
	if err != nil {
		return err
	}
	form := url.Values{"customer": {customer}}
	for i, price := range prices {
		form.Set("items["+strconv.Itoa(i)+"][price]", price)
	}
	var subscription struct{ Status string }
	if err := s.Call(ctx, http.MethodPost, "/v1/subscriptions", form, &subscription); err != nil {
		return err
	}
	if subscription.Status != "active" && subscription.Status != "trialing" {
		return fmt.Errorf("the subscription of %q is %s", login, subscription.Status)
	}
	return nil
}

// Promote makes a login an administrator, as an operator does in the dashboard.
func (s *Stripe) Promote(ctx context.Context, login string) error {
	customer, err := s.customer(ctx, login)
	if err != nil {
		return err
	}
	return s.Call(ctx, http.MethodPost, "/v1/customers/"+customer, url.Values{"metadata[drydock.role]": {"admin"}}, &struct{}{})
}

// Shrink makes the builds of a plan small enough for some of them to run at once on a machine of two cores: a build
// asks the cluster for a part of what its plan allows.
func (s *Stripe) Shrink(ctx context.Context, plan string) error {
	var page struct{ Data []struct{ ID, Name string } }
	if err := s.Call(ctx, http.MethodGet, "/v1/products", url.Values{"limit": {"100"}}, &page); err != nil {
		return err
	}
	for _, product := range page.Data {
		if product.Name == plan {
			form := url.Values{"metadata[drydock.cpu]": {"2"}, "metadata[drydock.memory]": {"1Gi"}}
			return s.Call(ctx, http.MethodPost, "/v1/products/"+product.ID, form, &struct{}{})
		}
	}
	return fmt.Errorf("there is no plan %q", plan)
}

// DefaultProduct is the product of the plan of accounts without a subscription.
func (s *Stripe) DefaultProduct(ctx context.Context) (string, error) {
	var page struct {
		Data []struct {
			ID       string
			Metadata map[string]string
		}
	}
	if err := s.Call(ctx, http.MethodGet, "/v1/products", url.Values{"limit": {"100"}}, &page); err != nil {
		return "", err
	}
	for _, product := range page.Data {
		if product.Metadata["drydock.default"] == "true" {
			return product.ID, nil
		}
	}
	return "", errors.New("there is no default plan")
}

// prices are the ids of a plan's active prices: the licensed one and the metered one.
func (s *Stripe) prices(ctx context.Context, plan string) ([]string, error) {
	var page struct {
		Data []struct {
			ID      string
			Product struct{ Name string }
		}
	}
	form := url.Values{"limit": {"100"}, "active": {"true"}, "expand[]": {"data.product"}}
	if err := s.Call(ctx, http.MethodGet, "/v1/prices", form, &page); err != nil {
		return nil, err
	}
	var ids []string
	for _, price := range page.Data {
		if price.Product.Name == plan {
			ids = append(ids, price.ID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("there is no price of a plan %q", plan)
	}
	return ids, nil
}

// Metered is what the meter's event summaries say of a login, in seconds of the last day.
// https://docs.stripe.com/api/billing/meter-event-summary/list
func (s *Stripe) Metered(ctx context.Context, login string) (int64, error) {
	customers, err := s.Customers(ctx, login)
	if err != nil || len(customers) == 0 {
		return 0, err
	}
	var meters struct{ Data []struct{ ID string } }
	if err := s.Call(ctx, http.MethodGet, "/v1/billing/meters", url.Values{}, &meters); err != nil {
		return 0, err
	}
	if len(meters.Data) != 1 {
		return 0, fmt.Errorf("there are %d meters", len(meters.Data))
	}
	end := time.Now().UTC().Truncate(time.Minute).Add(time.Minute) // windows are whole minutes
	form := url.Values{
		"customer":   {customers[0]},
		"start_time": {strconv.FormatInt(end.Add(-24*time.Hour).Unix(), 10)},
		"end_time":   {strconv.FormatInt(end.Unix(), 10)},
	}
	var summaries struct {
		Data []struct {
			Value float64 `json:"aggregated_value"`
		}
	}
	if err := s.Call(ctx, http.MethodGet, "/v1/billing/meters/"+meters.Data[0].ID+"/event_summaries", form, &summaries); err != nil {
		return 0, err
	}
	var sum int64
	for _, summary := range summaries.Data {
		sum += int64(summary.Value)
	}
	return sum, nil
}
