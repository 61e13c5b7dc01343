// Package queries holds the reference queries: tests count what they cost, the load driver measures them.
package queries

import _ "embed" // for the queries

// Dashboard is what an account's front page asks: viewer, plan, usage, and 20 images with owner and 3 builds each.
//
//go:embed dashboard.graphql
var Dashboard string
