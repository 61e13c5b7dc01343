package cluster

import (
	"context"
	"strings"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// SetGitCredential keeps a token or a key for an image's repository in place of the one
// there is, and gives the image. It goes with the image. The same clientMutationID again
// changes nothing, as long as few other changes came in between. Faults: BadUserInput,
// NotFound, RateLimited.
// Kubernetes: GET of the image, then as keepSecret.
func (c *Client) SetGitCredential(ctx context.Context, key model.Key, in model.SetGitCredentialInput) (*model.Image, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return nil, err
	}
	mutation := secretMutation("set", v1alpha1.SecretGit, "", in.ClientMutationID)
	if all := v1alpha1.SecretsOf(image); all.Noted(mutation) {
		return c.images.remember(image)
	}
	scheme, host := model.GitOrigin(image.Spec.Source.Repository)
	data, problem := gitSecret(scheme, host, in)
	if problem != "" {
		return nil, fault.New(fault.BadUserInput, "%s", problem)
	}
	secret := newImageSecret(key, image, v1alpha1.SecretGit)
	secret.Data = data
	kept := v1alpha1.KeptSecret{Use: v1alpha1.SecretGit, Kind: string(model.GitCredentialKindSSHKey), Host: host}
	if in.Token != nil {
		kept.Kind, kept.Username = string(model.GitCredentialKindToken), in.Username
	}
	var changed *model.Image
	err = c.keepSecret(ctx, c.inImage(key, image.UID, &changed), kept, mutation, secret, func(*v1alpha1.Secrets) error { return nil })
	return changed, err
}

// DeleteGitCredential forgets an image's credential, and gives the image. The same
// clientMutationID again does nothing more. An image without one is fault.NotFound.
// Kubernetes: GET of the image, then as dropSecret.
func (c *Client) DeleteGitCredential(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error) {
	return c.dropImageSecret(ctx, key, v1alpha1.SecretGit, "", clientMutationID, "This image has no git credential.")
}

// dropImageSecret takes a secret from an image, and gives the image.
func (c *Client) dropImageSecret(ctx context.Context, key model.Key, use v1alpha1.SecretUse, name, clientMutationID, none string) (*model.Image, error) {
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return nil, err
	}
	var changed *model.Image
	mutation := secretMutation("delete", use, name, &clientMutationID)
	err = c.dropSecret(ctx, image.Namespace, c.inImage(key, image.UID, &changed), use, name, mutation, none)
	return changed, err
}

// gitSecret is what the Secret of a credential holds, or why there can be none for a
// repository.
func gitSecret(scheme, host string, in model.SetGitCredentialInput) (data map[string][]byte, problem string) {
	data = map[string][]byte{v1alpha1.GitOriginKey: []byte(scheme + "://" + host)}
	name, _, _ := strings.Cut(host, ":")
	switch {
	case in.Token != nil && scheme != "https" && (scheme != "http" || !model.Loopback(name)):
		return nil, "token goes over HTTPS alone, and the image's repository is at " + scheme + "://" + host +
			": change source.repository to https://, or give sshKey for one at ssh://."
	case in.Token != nil:
		data[v1alpha1.GitUsernameKey], data[v1alpha1.GitTokenKey] = []byte(in.Username), []byte(*in.Token)
	case scheme != "ssh":
		return nil, "sshKey is for repositories at ssh://, and the image's is at " + scheme + "://" + host +
			": change source.repository, or give token."
	default:
		data[v1alpha1.GitSSHKey] = []byte(strings.TrimSpace(*in.SSHKey) + "\n")
	}
	return data, ""
}
