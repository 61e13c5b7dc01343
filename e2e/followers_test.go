//go:build !race

package e2e

// showFollowers follow the log of TestLongLog.
const showFollowers = 50
