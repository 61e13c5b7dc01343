package cluster

import (
	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/badge"
	"drydock.dev/drydock/graph/model"
)

// Badge is the state of an image whose badge everybody may see; public is false for any
// other, and for one that is not there.
// Kubernetes: no request.
func (c *Client) Badge(login, image string) (state badge.State, public bool) {
	namespace := v1alpha1.Namespace(login)
	found, there := c.images.get(namespace, image)
	if !there || !found.Public || found.Key.Login != login {
		return badge.Unknown, false
	}
	for b := range c.builds.all(byImage, imageGroup(namespace, found.UID)) { // newest first
		switch b.Phase {
		case model.BuildPhaseQueued, model.BuildPhaseRunning:
			return badge.Building, true
		case model.BuildPhaseSucceeded:
			return badge.Passing, true
		case model.BuildPhaseFailed:
			return badge.Failing, true
		}
	}
	return badge.Unknown, true
}
