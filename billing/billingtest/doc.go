// Package billingtest is a stateful stand-in for Stripe's API, for tests and for
// development without the internet. It speaks Stripe's JSON of API version
// 2023-10-16 over HTTP, to stripe-go, to curl and to anything else, for the endpoints
// that Drydock uses and those an operator needs beside them: customers, products,
// prices, subscriptions, Checkout sessions, the customer portal, billing meters, meter
// events and their summaries, events, and the webhooks that tell of them.
//
// It enforces what Stripe enforces: keys, idempotency keys and their conflicts, page
// sizes, metadata limits, unknown parameters, list order, Search that lags behind
// writes, unique meter event identifiers, aligned summary windows, rate limits. It
// misbehaves on request (Fault, WebhookFault). It never takes a payment: a subscription
// is active at once, or trialing, and its periods roll over with the clock. The pages of
// Checkout and of the portal are plain forms, on which one chooses how a card behaves.
//
// Conform holds a Client to its contract, against the stand-in or Stripe's test mode.
package billingtest
