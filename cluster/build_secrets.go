package cluster

import (
	"context"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// maxBuildSecrets is how many an image may have: all of them are mounted into its builds.
const maxBuildSecrets = 50

// SetBuildSecret keeps a secret for an image's builds in place of the one of its key, and
// gives the image. It goes with the image. The same clientMutationID again changes
// nothing, as long as few other changes came in between. Faults: BadUserInput,
// LimitExceeded, NotFound.
// Kubernetes: GET of the image, then as keepSecret.
func (c *Client) SetBuildSecret(ctx context.Context, key model.Key, in model.SetBuildSecretInput) (*model.Image, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return nil, err
	}
	mutation := secretMutation("set", v1alpha1.SecretBuild, in.Key, in.ClientMutationID)
	if all := v1alpha1.SecretsOf(image); all.Noted(mutation) {
		return c.images.remember(image)
	}
	secret := newImageSecret(key, image, v1alpha1.SecretBuild)
	secret.Data = map[string][]byte{v1alpha1.BuildSecretKey: []byte(in.Value)}
	kept := v1alpha1.KeptSecret{Use: v1alpha1.SecretBuild, Name: in.Key}
	var changed *model.Image
	err = c.keepSecret(ctx, c.inImage(key, image.UID, &changed), kept, mutation, secret, func(all *v1alpha1.Secrets) error {
		if _, there := all.Find(kept.Use, kept.Name); !there && len(all.Of(kept.Use)) >= maxBuildSecrets {
			return fault.New(fault.LimitExceeded, "An image can have %d build secrets: delete one first.", maxBuildSecrets)
		}
		return nil
	})
	return changed, err
}

// DeleteBuildSecret forgets one of an image's build secrets, and gives the image. The same
// clientMutationID again does nothing more. One that the image has not is fault.NotFound.
// Kubernetes: GET of the image, then as dropSecret.
func (c *Client) DeleteBuildSecret(ctx context.Context, key model.Key, secret, clientMutationID string) (*model.Image, error) {
	return c.dropImageSecret(ctx, key, v1alpha1.SecretBuild, secret, clientMutationID, "This image has no build secret of that key.")
}
