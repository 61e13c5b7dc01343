// Package model is Drydock's vocabulary: accounts, plans, images and builds as
// the rest of the house speaks of them, their pure rules, ids and cursors. It
// imports nothing of ours and knows neither Stripe nor Kubernetes.
//
// generated.go holds what gqlgen makes of schema/: enums, inputs, payloads and
// plain structs. The nouns with rules are written by hand, one file per concept.
package model
