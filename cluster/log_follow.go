package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// What a shared follow keeps in memory for its readers, and how often it looks whether
// a pod or container has begun.
const (
	tailLines   = 4096
	tailBytes   = 2 << 20
	followPause = 100 * time.Millisecond
	// followLongest is the longest pause between looks.
	followLongest = 2 * time.Second
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
	lines, _, _, behind := f.from(next)
	for _, line := range lines {
		if !take(line) {
			break
		}
	}
	return !behind
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
	return slices.Clone(f.lines[next-f.lines[0].Number:]), f.changed, f.ended, false
}

// add takes the next line, unless it was taken before.
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
			reading.Go(func() { c.followPod(ctx, f, b) })
		}
		next, ok := changes.take(ctx)
		if !ok || next.gone {
			return
		}
		state = next.value
	}
}

// followPod reads the containers of a build's pod one after the other.
func (c *Client) followPod(ctx context.Context, f *follow, b *build) {
	pod, err := c.pod(ctx, b)
	for wait := followPause; pod == nil && ctx.Err() == nil; wait = min(2*wait, followLongest) {
		if err != nil {
			c.log.Warn("looking for a build's pod", "build", f.path, "error", err, "retry", wait)
		}
		pause(ctx, wait)
		pod, err = c.pod(ctx, b)
	}
	if pod == nil {
		return
	}
	last := int64(0)
	for _, container := range v1alpha1.LogContainers(&pod.Spec) {
		last = c.followContainer(ctx, f, pod, container, last)
	}
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=pods,verbs=get

// followContainer reads the lines of one container, numbered after last, until it has
// ended, and gives the last one's number. A broken stream is opened again: lines that
// were read before have the same numbers, and f takes none twice.
func (c *Client) followContainer(ctx context.Context, f *follow, pod *corev1.Pod, container string, last int64) int64 {
	newest := last
	for wait := followPause; ctx.Err() == nil; wait = min(2*wait, followLongest) {
		var rest *v1alpha1.LogLine
		var err error
		read, _ := containerState(pod, container)
		if read {
			rest, err = c.containerLog(ctx, pod, container, true, last, func(line v1alpha1.LogLine) bool {
				newest = max(newest, line.Number)
				f.add(line)
				return true
			})
			wait = followPause
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("a build's log broke off", "build", f.path, "container", container, "error", err, "retry", wait)
		}
		now := &corev1.Pod{}
		lost := do(ctx, c.core.Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name), now)
		if fault.KindOf(lost) == fault.NotFound {
			return newest
		}
		if lost == nil {
			pod = now
		}
		if begun, ended := containerState(pod, container); ended && read == begun && lost == nil && err == nil {
			if rest != nil {
				f.add(*rest)
				newest = max(newest, rest.Number)
			}
			return newest
		}
		pause(ctx, wait)
	}
	return newest
}
