package resolvers

import (
	"context"
	"math"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
)

// maxLines is how many lines of a log come at a time.
const maxLines = 10_000

// imageOf is the image that a build is of: nil once it is gone, also when another
// image has its name by now.
func imageOf(ctx context.Context, build *model.Build) (*model.Image, error) {
	image, err := loaders.For(ctx).Image(ctx, build.ImageKey)
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err == nil && image.UID != build.ImageUID:
		return nil, nil
	default:
		return image, err
	}
}

// checkLogRange holds what may be asked of a log.
func checkLogRange(after, first int) error {
	if first < 1 || first > maxLines {
		return fault.New(fault.BadUserInput, "first is %d: ask for 1 to %d lines, and for more with after.", first, maxLines)
	}
	if after < 0 || after > math.MaxInt32 {
		return fault.New(fault.BadUserInput, "after is %d: it is a line's number, or 0 for the start.", after)
	}
	return nil
}
