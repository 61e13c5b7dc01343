// Package cache is a read-through cache of what upstreams said: one load for
// everybody who asks at once (single flight), a time to live, the last known value when
// the upstream fails or is slow (stale on error), the old value at once while a new one
// is fetched (stale while revalidate), and remembered refusals (negative entries). Who
// gets an old value is told so by package staleness.
//
// What was invalidated is never served as fresh again, and a load that began before an
// invalidation never fills the cache after it: every entry carries the count of
// invalidations as of its load's start, and every read compares it with the key's
// last one. So nothing here depends on the order in which ristretto, which buffers
// its writes and may drop them, gets to see things; a dropped write costs a load.
package cache
