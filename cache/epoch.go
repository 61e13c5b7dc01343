package cache

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// stripes bounds the memory of the epochs. Two keys of one stripe are invalidated
// together, which costs a load now and then, never a stale value.
const stripes = 4096

// epochs orders invalidations against the starts of loads.
type epochs struct {
	seed maphash.Seed
	// clock counts all invalidations.
	clock atomic.Uint64
	// all and keys hold the clock as of the last invalidation of everything and of
	// a stripe of keys.
	all  atomic.Uint64
	keys [stripes]atomic.Uint64
}

func newEpochs() *epochs { return &epochs{seed: maphash.MakeSeed()} }

// now is the mark that a load takes at its start.
func (e *epochs) now() uint64 { return e.clock.Load() }

// of is the last invalidation of a key: older marks are void.
func (e *epochs) of(key string) uint64 {
	return max(e.all.Load(), e.stripe(key).Load())
}

// stripe is that of what stands before the key's first NUL byte.
func (e *epochs) stripe(key string) *atomic.Uint64 {
	group, _, _ := strings.Cut(key, "\x00")
	return &e.keys[maphash.String(e.seed, group)%stripes]
}

func (e *epochs) invalidate(key string) { raise(e.stripe(key), e.clock.Add(1)) }

func (e *epochs) invalidateAll() { raise(&e.all, e.clock.Add(1)) }

// raise sets the value unless it is higher already.
func raise(at *atomic.Uint64, to uint64) {
	for {
		old := at.Load()
		if old >= to || at.CompareAndSwap(old, to) {
			return
		}
	}
}
