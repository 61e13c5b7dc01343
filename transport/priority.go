package transport

import "context"

// Priority says who waits for a call.
type Priority int

const (
	// Interactive calls have a person waiting; it is what a context has without WithPriority.
	Interactive Priority = iota
	// Background calls have nobody waiting: they go after the interactive ones, but for
	// every few of those one background call goes first, so that none waits for ever.
	Background
)

// String is the priority's name in metrics.
func (p Priority) String() string {
	if p == Background {
		return "background"
	}
	return "interactive"
}

type priorityKey struct{}

// WithPriority gives all calls below the context a priority.
func WithPriority(ctx context.Context, priority Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, priority)
}

// PriorityOf is the priority of a context's calls.
func PriorityOf(ctx context.Context) Priority {
	priority, _ := ctx.Value(priorityKey{}).(Priority)
	return priority
}
