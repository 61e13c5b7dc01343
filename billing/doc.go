// Package billing keeps accounts, plans and usage in Stripe: an account is a
// customer, a plan a product with prices, usage a meter's events. Nothing else in the
// house knows Stripe.
//
// Reads go through caches and a directory in memory, both safe to lose. What is held is
// held for hours, because who changes it tells: Stripe by a webhook, which reaches one
// replica, that replica and every writer by notices to the others, and Stripe's list of
// events what got lost on the way. While Stripe is away the last known values stand in.
// Writes are idempotent, so any replica may repeat them. Each operation's comment states
// the Stripe requests that it makes when nothing is cached; cached, it makes none. Errors
// are faults; what Stripe said stays inside, for the log.
package billing
