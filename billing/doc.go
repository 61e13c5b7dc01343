// Package billing keeps accounts, plans and usage in Stripe: an account is a
// customer, a plan a product with prices, usage a meter's events. Nothing else in the
// house knows Stripe.
//
// Reads go through caches and a directory in memory, both safe to lose; writes are
// idempotent, so any replica may repeat them. Each operation's comment states the
// Stripe requests that it makes when nothing is cached; cached, it makes none. Errors
// are faults; what Stripe said stays inside, for the log.
package billing
