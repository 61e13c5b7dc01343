package billing

import (
	"context"

	"drydock.dev/drydock/transport"
)

// background marks requests that nobody waits for.
func background(ctx context.Context) context.Context {
	return transport.WithPriority(ctx, transport.Background)
}
