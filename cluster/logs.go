package cluster

import (
	"context"
	"math"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// maxLogPage is the largest piece of a log that may be asked for, in lines.
const maxLogPage = 10_000

// BuildLog returns up to first lines of a build's log after the line of a number: from
// where the controller kept it, and while it runs from its pod for the newest lines. A number that
// is negative or beyond 32 bits, and a page beyond 1 to 10000 are fault.BadUserInput,
// unknown builds fault.NotFound.
// Kubernetes: GET of each ConfigMap with the lines that was not read lately; of a build
// that runs, LIST pods and GET each container's log behind that, nothing where this
// replica follows the log anyway; of a queued one, nothing.
func (c *Client) BuildLog(ctx context.Context, key model.Key, after, first int) (*model.BuildLog, error) {
	if first < 1 || first > maxLogPage {
		return nil, fault.New(fault.BadUserInput, "first must be 1 to %d.", maxLogPage)
	}
	if err := legalAfter(after); err != nil {
		return nil, err
	}
	b, err := c.build(key)
	if err != nil {
		return nil, err
	}
	page := newLogPage(b, after)
	add := func(line v1alpha1.LogLine) bool {
		page.Lines = append(page.Lines, logLine(line))
		page.EndCursor = int(line.Number)
		return len(page.Lines) < first
	}
	if err := c.presentLog(ctx, b, int64(after)+1, add); err != nil {
		return nil, err
	}
	page.Complete = b.Phase.Done() && (b.log == nil || int64(page.EndCursor) >= b.log.Lines)
	return page, nil
}

// presentLog hands out what there is of a build's log now, from a line on, until take has
// enough: what is kept, then what a follow has in memory, or else the pod's.
func (c *Client) presentLog(ctx context.Context, b *build, next int64, take func(v1alpha1.LogLine) bool) error {
	more := true
	step := func(line v1alpha1.LogLine) bool {
		next = line.Number + 1
		more = take(line)
		return more
	}
	if err := c.keptLog(ctx, b, next, step); err != nil || !more || b.Phase != model.BuildPhaseRunning {
		return err
	}
	if c.follows.tail(b.path(), next, step) {
		return nil
	}
	return c.podLog(ctx, b, next, step)
}

// FollowBuildLog sends the lines of a build's log after the line of a number, then
// those that come, and closes the channel when the build has ended and every line is
// out, when the context ends or the client is closed. A broken connection is mended:
// no line is lost or sent twice. Faults: as BuildLog.
// Kubernetes: all followers of a build share LIST pods, and a GET for each container's
// log and for its end; who starts late or falls behind reads as BuildLog does.
func (c *Client) FollowBuildLog(ctx context.Context, key model.Key, after int) (<-chan *model.LogLine, error) {
	out := make(chan *model.LogLine)
	return out, c.followLog(ctx, key, after, func(ctx context.Context, b *build, next int64) {
		defer close(out)
		c.sendLog(ctx, b, next, func(line v1alpha1.LogLine) bool {
			select {
			case out <- logLine(line):
				return true
			case <-ctx.Done():
				return false
			}
		})
	})
}

// followLog runs a sender of a build's lines from behind a number on.
func (c *Client) followLog(ctx context.Context, key model.Key, after int, send func(ctx context.Context, b *build, next int64)) error {
	if err := legalAfter(after); err != nil {
		return err
	}
	b, err := c.build(key)
	if err != nil {
		return err
	}
	c.spawn(ctx, func(ctx context.Context) { send(ctx, b, int64(after)+1) })
	return nil
}

// sendLog hands out a log from a line on, first from the build's shared follow, then
// from where it is kept.
func (c *Client) sendLog(ctx context.Context, b *build, next int64, send func(v1alpha1.LogLine) bool) {
	step := func(line v1alpha1.LogLine) bool {
		next = line.Number + 1
		return send(line)
	}
	if !b.Phase.Done() {
		f := c.joinFollow(b)
		defer c.leaveFollow(f)
		for ended := false; !ended && ctx.Err() == nil; {
			var behind bool
			if behind, ended = f.wait(ctx, next, step); behind {
				c.catchUp(ctx, b.Key, next, step)
			}
		}
	}
	for wait := keptPause; ctx.Err() == nil; wait = min(2*wait, retryLongest) {
		last, err := c.build(b.Key)
		if err != nil {
			return // the build was deleted, its log with it
		}
		if err = c.keptLog(ctx, last, next, step); err == nil || fault.KindOf(err) == fault.NotFound {
			return
		}
		c.log.Warn("reading a kept log", "build", b.path(), "error", err, "retry", wait)
		pause(ctx, wait)
	}
}

// catchUp hands out lines that a follow has in memory no more. Where there are none, a
// moment passes: they are about to be kept, or the build's end is about to be told.
func (c *Client) catchUp(ctx context.Context, key model.Key, next int64, step func(v1alpha1.LogLine) bool) {
	before := next
	b, err := c.build(key)
	if err == nil {
		err = c.presentLog(ctx, b, next, func(line v1alpha1.LogLine) bool {
			before = 0
			return step(line)
		})
	}
	if err != nil || before == next {
		pause(ctx, keptPause)
	}
}

func legalAfter(after int) error {
	if after < 0 || after > math.MaxInt32 {
		return fault.New(fault.BadUserInput, "after must be the number of a line, or 0 for the start.")
	}
	return nil
}

// newLogPage is a page without lines yet.
func newLogPage(b *build, after int) *model.BuildLog {
	page := &model.BuildLog{Lines: []*model.LogLine{}, EndCursor: after, FirstLine: 1}
	if b.log != nil {
		page.FirstLine = max(1, int(b.log.FirstLine))
	}
	return page
}

func logLine(line v1alpha1.LogLine) *model.LogLine {
	return &model.LogLine{Number: int(line.Number), Time: line.Time, Text: line.Text}
}

// path is the build's namespace and name, for the log and as a key.
func (b *build) path() string { return v1alpha1.Namespace(b.Key.Login) + "/" + b.Key.Name }

func pause(ctx context.Context, long time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}
