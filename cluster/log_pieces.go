package cluster

import (
	"context"
	"sync"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// A piece of a followed log holds this much at most.
const (
	pieceLines = 1000
	pieceBytes = 256 << 10
)

// FollowBuildLogPieces is FollowBuildLog, with the lines that came since the last piece in
// one: a reader that is slow gets larger pieces, and a line that comes alone is one.
func (c *Client) FollowBuildLogPieces(ctx context.Context, key model.Key, after int) (<-chan *model.BuildLog, error) {
	out := make(chan *model.BuildLog)
	return out, c.followLog(ctx, key, after, func(ctx context.Context, b *build, next int64) {
		defer close(out)
		p := &pieces{last: int(next) - 1, changed: make(chan struct{}, 1), room: make(chan struct{}, 1)}
		var sending sync.WaitGroup
		sending.Go(func() { p.send(ctx, out, func() *build { return c.buildOr(b) }) })
		c.sendLog(ctx, b, next, func(line v1alpha1.LogLine) bool { return p.add(ctx, line) })
		p.end()
		sending.Wait()
	})
}

// buildOr is the build as it is now, or as it was where it is gone.
func (c *Client) buildOr(b *build) *build {
	if now, err := c.build(b.Key); err == nil {
		return now
	}
	return b
}

// pieces gathers lines while the piece before is on its way.
type pieces struct {
	mu    sync.Mutex
	lines []*model.LogLine
	bytes int
	last  int
	ended bool
	// changed tells the sender of lines or the end, room tells that there is room again.
	changed, room chan struct{}
}

// add takes a line as soon as there is room for it.
func (p *pieces) add(ctx context.Context, line v1alpha1.LogLine) bool {
	for {
		p.mu.Lock()
		if len(p.lines) == 0 || len(p.lines) < pieceLines && p.bytes < pieceBytes {
			p.lines = append(p.lines, logLine(line))
			p.bytes += len(line.Text)
			p.mu.Unlock()
			signal(p.changed)
			return true
		}
		p.mu.Unlock()
		select {
		case <-p.room:
		case <-ctx.Done():
			return false
		}
	}
}

func (p *pieces) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	signal(p.changed)
}

// send hands out pieces until the end.
func (p *pieces) send(ctx context.Context, out chan<- *model.BuildLog, now func() *build) {
	for {
		select {
		case <-p.changed:
		case <-ctx.Done():
			return
		}
		p.mu.Lock()
		lines, ended := p.lines, p.ended
		p.lines, p.bytes = nil, 0
		p.mu.Unlock()
		signal(p.room)
		if len(lines) > 0 {
			piece := newLogPage(now(), p.last)
			piece.Lines, p.last = lines, lines[len(lines)-1].Number
			piece.EndCursor = p.last
			select {
			case out <- piece:
			case <-ctx.Done():
				return
			}
		}
		if ended {
			return
		}
	}
}

// signal leaves a token where none waits.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
