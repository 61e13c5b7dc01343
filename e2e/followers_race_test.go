//go:build race

package e2e

// showFollowers follow the log of TestLongLog: fewer, as a client that is watched for races takes ten times as long to
// read JSON; the gateways, which are not, have little to do then.
const showFollowers = 10
