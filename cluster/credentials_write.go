package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// maxLogins is how many registry credentials an account may have: all of them are
// mounted into each build.
const maxLogins = 50

// SetRegistryCredential keeps a login for a registry in place of the one there is. What
// is legal and new is tried first; what fails there is not kept. The same
// clientMutationID again changes and tries nothing, as long as few other changes came in
// between. Faults: BadUserInput, LimitExceeded, Conflict for a namespace that is not the account's.
// Kubernetes: GET of the namespace, then as keepSecret. Before the account's first
// write through this process as for CreateImage.
func (c *Client) SetRegistryCredential(ctx context.Context, owner model.Owner, in model.SetRegistryCredentialInput, try func(context.Context) error) (*model.RegistryCredential, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	key := model.Key{Login: owner.Login, Name: model.CanonicalRegistry(in.Registry)}
	mutation := secretMutation("set", v1alpha1.SecretRegistry, key.Name, in.ClientMutationID)
	home, err := c.home(ctx, owner)
	if err != nil {
		return nil, err
	}
	before := v1alpha1.SecretsOf(home)
	if kept, there := before.Find(v1alpha1.SecretRegistry, key.Name); there && before.Noted(mutation) {
		return credential(owner.Login, kept), nil
	}
	if err := roomForLogin(&before, key.Name); err != nil {
		return nil, err
	}
	if err := try(ctx); err != nil {
		return nil, err
	}
	secret, err := loginSecret(key, in)
	if err != nil {
		return nil, err
	}
	kept := v1alpha1.KeptSecret{Use: v1alpha1.SecretRegistry, Name: key.Name, Username: in.Username}
	err = c.keepSecret(ctx, c.inNamespace(owner.Login), kept, mutation, secret, func(all *v1alpha1.Secrets) error {
		return roomForLogin(all, key.Name)
	})
	if err != nil {
		return nil, err
	}
	return c.RegistryCredential(ctx, key)
}

func roomForLogin(all *v1alpha1.Secrets, registry string) error {
	if _, there := all.Find(v1alpha1.SecretRegistry, registry); !there && len(all.Of(v1alpha1.SecretRegistry)) >= maxLogins {
		return fault.New(fault.LimitExceeded, "An account can have %d registry credentials: delete one first.", maxLogins)
	}
	return nil
}

// DeleteRegistryCredential forgets a login; the key's name is the registry. The same
// clientMutationID again deletes nothing, as long as few other changes came in between.
// Unknown ones are fault.NotFound.
// Kubernetes: as dropSecret.
func (c *Client) DeleteRegistryCredential(ctx context.Context, key model.Key, clientMutationID string) error {
	mutation := secretMutation("delete", v1alpha1.SecretRegistry, key.Name, &clientMutationID)
	err := c.dropSecret(ctx, v1alpha1.Namespace(key.Login), c.inNamespace(key.Login), v1alpha1.SecretRegistry, key.Name, mutation, noCredential)
	return missing(err, noCredential)
}

// home reads an account's namespace, which is made where it is missing.
func (c *Client) home(ctx context.Context, owner model.Owner) (*corev1.Namespace, error) {
	name := v1alpha1.Namespace(owner.Login)
	for {
		_, settled := c.accounts.Load(name)
		if err := c.settle(ctx, owner); err != nil {
			return nil, err
		}
		home, err := c.namespace(ctx, name)
		if settled && fault.KindOf(err) == fault.NotFound { // it was deleted meanwhile
			c.accounts.Delete(name)
			continue
		}
		return home, err
	}
}

// loginSecret is the Secret of a login.
func loginSecret(key model.Key, in model.SetRegistryCredentialInput) (*corev1.Secret, error) {
	config, err := dockerConfig(key.Name, in.Username, in.Password)
	if err != nil {
		return nil, err
	}
	secret := newSecret(key.Login, v1alpha1.SecretRegistry, key.Name)
	secret.Type = corev1.SecretTypeDockerConfigJson
	secret.Data = map[string][]byte{corev1.DockerConfigJsonKey: config}
	return secret, nil
}

// dockerConfig is a Docker configuration of one login, in one line without spaces: build
// strategies put several together.
// https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
func dockerConfig(registry, username, password string) ([]byte, error) {
	if registry == model.DockerHub {
		registry = "https://index.docker.io/v1/" // what all tools look for
	}
	type entry struct {
		Auth string `json:"auth"`
	}
	auth := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	return json.Marshal(map[string]map[string]entry{"auths": {registry: {auth}}})
}
