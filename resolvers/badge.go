package resolvers

import (
	"net/url"

	"drydock.dev/drydock/graph/model"
)

// badgeOf is the address of an image's badge; nil where it is not public.
func (r *Resolver) badgeOf(image *model.Image) *string {
	if !image.Public {
		return nil
	}
	return new(r.badgeURL + "/" + url.PathEscape(image.Key.Login) + "/" + url.PathEscape(image.Key.Name) + ".svg")
}
