package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// What a shared follow keeps in memory for its readers: more than the controller leaves
// out of what it keeps, so that they seldom need the pod.
const (
	tailLines = 40_000
	tailBytes = 4 << 20
	// turnLines are taken from memory at a time.
	turnLines = 1000
)

// follow reads the log of one running build for all who follow it here: the newest
// lines stay in memory, whoever needs older ones reads by itself.
type follow struct {
	path    string
	readers int // guarded by follows.mu
	cancel  context.CancelFunc

	mu    sync.Mutex
	lines []v1alpha1.LogLine // without gaps
	bytes int
	last  int64
	ended bool
	// changed is closed, and another one made, whenever there is something new.
	changed chan struct{}
}

// follows holds the follows of this process by the build's path.
type follows struct {
	mu      sync.Mutex
	running map[string]*follow
}

// joinFollow gives the follow of a build, which begins with its first reader.
func (c *Client) joinFollow(b *build) *follow {
	c.follows.mu.Lock()
	defer c.follows.mu.Unlock()
	f := c.follows.running[b.path()]
	if f == nil {
		ctx, cancel := context.WithCancel(c.life)
		f = &follow{path: b.path(), cancel: cancel, changed: make(chan struct{})}
		c.follows.running[f.path] = f
		c.spawn(ctx, func(ctx context.Context) {
			defer f.end()
			c.runFollow(ctx, f, b)
		})
	}
	f.readers++
	return f
}

// leaveFollow ends a follow with its last reader.
func (c *Client) leaveFollow(f *follow) {
	c.follows.mu.Lock()
	defer c.follows.mu.Unlock()
	if f.readers--; f.readers == 0 {
		f.cancel()
		delete(c.follows.running, f.path)
	}
}

// tail hands out what a follow of the path has in memory from a line on; not ok when
// there is none, when it begins later, and when it has read nothing yet.
func (fs *follows) tail(path string, next int64, take func(v1alpha1.LogLine) bool) bool {
	fs.mu.Lock()
	f := fs.running[path]
	fs.mu.Unlock()
	if f == nil || f.empty() {
		return false
	}
	for {
		lines, _, _, behind := f.from(next)
		for _, line := range lines {
			if !take(line) {
				return true
			}
			next = line.Number + 1
		}
		if len(lines) == 0 {
			return !behind
		}
	}
}

func (f *follow) empty() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last == 0
}

// wait hands out lines from a number on, waiting for the first of them. behind: the
// line is not in memory any more; ended: there is none, and none will come.
func (f *follow) wait(ctx context.Context, next int64, take func(v1alpha1.LogLine) bool) (behind, ended bool) {
	for {
		lines, changed, ended, behind := f.from(next)
		for _, line := range lines {
			if !take(line) {
				return false, true
			}
		}
		if len(lines) > 0 || behind {
			return behind, false
		}
		if ended {
			return false, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false, true
		}
	}
}

// from gives some of the lines in memory from a number on.
func (f *follow) from(next int64) (lines []v1alpha1.LogLine, changed <-chan struct{}, ended, behind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if next > f.last {
		return nil, f.changed, f.ended, false
	}
	if len(f.lines) == 0 || next < f.lines[0].Number {
		return nil, f.changed, f.ended, !f.ended // what was kept of an ended build has it
	}
	rest := f.lines[next-f.lines[0].Number:]
	return slices.Clone(rest[:min(len(rest), turnLines)]), f.changed, f.ended, false
}

// begin notes that lines up to a number are kept, and need not be read here. Those in
// memory go where the kept ones reach further: there would be a gap behind them.
func (f *follow) begin(last int64) {
	f.mu.Lock()
	if last > f.last {
		f.lines, f.bytes, f.last = nil, 0, last
	}
	f.mu.Unlock()
	f.tell()
}

// add takes the next line, unless it was taken before; tell tells the readers of it.
func (f *follow) add(line v1alpha1.LogLine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if line.Number <= f.last {
		return
	}
	f.lines = append(f.lines, line)
	f.bytes += len(line.Text)
	f.last = line.Number
	for len(f.lines) > tailLines || f.bytes > tailBytes && len(f.lines) > 1 {
		f.bytes -= len(f.lines[0].Text)
		f.lines[0] = v1alpha1.LogLine{}
		f.lines = f.lines[1:]
	}
}

// tell wakes the readers that wait.
func (f *follow) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *follow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	close(f.changed)
	f.changed = make(chan struct{})
}

// runFollow reads until the build has ended: the controller has kept its log by then,
// and whatever was not read here is read there.
func (c *Client) runFollow(ctx context.Context, f *follow, b *build) {
	var reading sync.WaitGroup
	defer reading.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	topic := v1alpha1.Namespace(b.Key.Login)
	present, changes := c.builds.subscribe(topic, func(o *build) bool { return o.Key == b.Key }, slices.Collect[*build])
	defer c.builds.hub.unsubscribe(topic, changes)
	if len(present) == 0 {
		return
	}
	started := false
	for state := present[0]; !state.Phase.Done(); {
		if state.Phase == model.BuildPhaseRunning && !started {
			started = true
			reading.Go(func() { c.followPod(ctx, f, b.Key) })
		}
		next, ok := changes.take(ctx)
		if !ok || next.gone {
			return
		}
		state = next.value
	}
}

// How often is looked whether the controller has kept what the pod has no more.
const (
	keptPause   = 500 * time.Millisecond
	keptLongest = 5 * time.Second
)

// followPod reads the pod of a build from behind what is kept of its log. Where the node
// has rotated lines away before they were read, it goes on once they are kept.
func (c *Client) followPod(ctx context.Context, f *follow, key model.Key) {
	for wait := keptPause; ctx.Err() == nil; wait = min(2*wait, keptLongest) {
		err := c.followFrom(ctx, f, key)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			c.log.Warn("a build's log cannot be followed from here", "build", f.path, "error", err, "retry", wait)
		}
		pause(ctx, wait)
	}
}

func (c *Client) followFrom(ctx context.Context, f *follow, key model.Key) error {
	b, err := c.build(key)
	if err != nil {
		return err
	}
	reader, last, err := c.podReader(ctx, b)
	if err != nil {
		return err
	}
	f.begin(last)
	pending := 0
	reader.Take = func(_ string, line v1alpha1.LogLine, _ bool) bool {
		last++
		line.Number = last
		if f.add(line); pending >= turnLines {
			f.tell()
			pending = 0
		}
		pending++
		return true
	}
	reader.Idle = f.tell
	err = reader.Follow(ctx)
	f.tell()
	return err
}
