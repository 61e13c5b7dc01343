package cluster

import (
	"context"
	"iter"
	"slices"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const noBuild = "There is no such build in this account."

// Build returns one build. Unknown ones are fault.NotFound.
// Kubernetes: no request.
func (c *Client) Build(_ context.Context, key model.Key) (*model.Build, error) {
	b, err := c.build(key)
	if err != nil {
		return nil, err
	}
	return b.Build, nil
}

func (c *Client) build(key model.Key) (*build, error) {
	b, ok := c.builds.get(v1alpha1.Namespace(key.Login), key.Name)
	if !ok {
		return nil, fault.New(fault.NotFound, noBuild)
	}
	return b, nil
}

// Builds returns a page of an account's or an image's builds, newest first. A page
// size or cursor that is not legal is fault.BadUserInput.
// Kubernetes: no request.
func (c *Client) Builds(_ context.Context, query model.BuildQuery) (model.Slice[*model.Build], error) {
	namespace := v1alpha1.Namespace(query.Login)
	builds := c.builds.all(byAccount, namespace)
	if query.Image != nil {
		builds = c.builds.all(byImage, imageGroup(namespace, query.Image.UID))
	}
	return paginate("builds", true, query.Page, placedBuilds(builds, query.Phases))
}

func placedBuilds(builds iter.Seq[*build], phases []model.BuildPhase) iter.Seq2[place, *model.Build] {
	return func(yield func(place, *model.Build) bool) {
		for b := range builds {
			if len(phases) > 0 && !slices.Contains(phases, b.Phase) {
				continue
			}
			if !yield(buildPlace(b), b.Build) {
				return
			}
		}
	}
}

// buildPlace sorts builds newest first.
func buildPlace(b *build) place {
	return place{time: b.QueuedAt.Unix(), number: b.Number, name: b.Key.Name, down: true}
}

// LatestBuilds returns the newest build of each image; images without one are absent.
// Kubernetes: no request.
func (c *Client) LatestBuilds(_ context.Context, images []*model.Image) (map[model.Key]*model.Build, error) {
	latest := make(map[model.Key]*model.Build, len(images))
	for _, image := range images {
		if b, ok := c.builds.first(byImage, imageGroup(v1alpha1.Namespace(image.Key.Login), image.UID)); ok {
			latest[image.Key] = b.Build
		}
	}
	return latest, nil
}

// BuildsEnded counts an account's builds that ended at from or later, and before to,
// by UTC date (YYYY-MM-DD). Dates without one are absent.
// Kubernetes: no request.
func (c *Client) BuildsEnded(_ context.Context, login string, from, to time.Time) (map[string]int, error) {
	ended := map[string]int{}
	for b := range c.builds.all(byAccount, v1alpha1.Namespace(login)) {
		if b.FinishedAt != nil && !b.FinishedAt.Before(from) && b.FinishedAt.Before(to) {
			ended[b.FinishedAt.Format(time.DateOnly)]++
		}
	}
	return ended, nil
}
