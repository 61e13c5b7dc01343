package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const (
	// annotationLoginDeletes, on a Namespace: the newest mutations that deleted a registry
	// credential.
	annotationLoginDeletes = "drydock.dev/delete-login-mutations"
	// maxLogins is how many registry credentials an account may have: all of them are
	// mounted into each build.
	maxLogins = 50
)

// SetRegistryCredential keeps a login for a registry in place of the one there is. What
// is legal and new is tried first; what fails there is not kept. The same
// clientMutationID again changes and tries nothing. Faults: BadUserInput, LimitExceeded,
// Conflict for a namespace that is not the account's.
// Kubernetes: GET of the namespace; POST of the Secret, PUT where it is there; GET and
// PUT of the namespace, again where somebody wrote in between. Before the account's first
// write through this process as for CreateImage.
func (c *Client) SetRegistryCredential(ctx context.Context, owner model.Owner, in model.SetRegistryCredentialInput, try func(context.Context) error) (*model.RegistryCredential, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	kept := v1alpha1.RegistryLogin{Registry: model.CanonicalRegistry(in.Registry), Username: in.Username,
		Time: metav1.NewTime(c.now().UTC()).Rfc3339Copy(), Mutation: hashOf(in.ClientMutationID)}
	home, err := c.home(ctx, owner)
	if err != nil {
		return nil, err
	}
	before := v1alpha1.RegistryLogins(home)
	at, there := slices.BinarySearchFunc(before, kept, byRegistry)
	switch {
	case there && kept.Mutation != "" && before[at].Mutation == kept.Mutation:
		return credential(owner.Login, before[at]), nil
	case !there && len(before) >= maxLogins:
		return nil, fault.New(fault.LimitExceeded, "An account can have %d registry credentials: delete one first.", maxLogins)
	}
	if err := try(ctx); err != nil {
		return nil, err
	}
	unlock, err := c.writing.lock(ctx, home.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := c.putLogin(ctx, owner.Login, kept, in.Password); err != nil {
		return nil, err
	}
	err = c.changeLogins(ctx, home.Name, func(_ *corev1.Namespace, all []v1alpha1.RegistryLogin) ([]v1alpha1.RegistryLogin, error) {
		all = slices.DeleteFunc(all, func(l v1alpha1.RegistryLogin) bool { return l.Registry == kept.Registry })
		if len(all) >= maxLogins {
			return nil, fault.New(fault.LimitExceeded, "An account can have %d registry credentials: delete one first.", maxLogins)
		}
		return append(all, kept), nil
	})
	if err != nil {
		return nil, err
	}
	return credential(owner.Login, kept), nil
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=secrets,verbs=delete

// DeleteRegistryCredential forgets a login; the key's name is the registry. The same
// clientMutationID again deletes nothing, as long as the account deleted few others in
// between. Unknown ones are fault.NotFound.
// Kubernetes: GET of the namespace, DELETE of the Secret, GET and PUT of the namespace.
func (c *Client) DeleteRegistryCredential(ctx context.Context, key model.Key, clientMutationID string) error {
	name, hash := v1alpha1.Namespace(key.Login), mutationHash(clientMutationID)
	unlock, err := c.writing.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	home, err := c.namespace(ctx, name)
	if err != nil {
		return missing(err, noCredential)
	}
	if _, done := recorded(home.Annotations[annotationLoginDeletes], hash); done {
		return nil
	}
	known := v1alpha1.RegistryLogins(home)
	at, there := slices.BinarySearchFunc(known, v1alpha1.RegistryLogin{Registry: key.Name}, byRegistry)
	if !there {
		return fault.New(fault.NotFound, noCredential)
	}
	err = do(ctx, c.core.Delete().Namespace(name).Resource("secrets").Name(v1alpha1.RegistrySecret(key.Name)), nil)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return c.changeLogins(ctx, name, func(home *corev1.Namespace, all []v1alpha1.RegistryLogin) ([]v1alpha1.RegistryLogin, error) {
		if hash != "" {
			home.Annotations[annotationLoginDeletes] = record(home.Annotations[annotationLoginDeletes], hash, "")
		}
		// One that was set meanwhile, through another replica, stays.
		return slices.DeleteFunc(all, known[at].Equal), nil
	})
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

// changeLogins changes which logins a namespace tells of, and remembers it.
func (c *Client) changeLogins(ctx context.Context, namespace string, change func(*corev1.Namespace, []v1alpha1.RegistryLogin) ([]v1alpha1.RegistryLogin, error)) error {
	home, err := c.changeNamespace(ctx, namespace, func(home *corev1.Namespace) error {
		all, err := change(home, v1alpha1.RegistryLogins(home))
		if err != nil {
			return err
		}
		slices.SortFunc(all, byRegistry)
		home.Annotations[v1alpha1.AnnotationRegistryLogins], err = v1alpha1.FormatRegistryLogins(all)
		return err
	})
	if err != nil {
		return err
	}
	_, err = c.homes.remember(home)
	return err
}

// putLogin writes the Secret of a login.
func (c *Client) putLogin(ctx context.Context, login string, kept v1alpha1.RegistryLogin, password string) error {
	config, err := dockerConfig(kept.Registry, kept.Username, password)
	if err != nil {
		return err
	}
	return c.putSecret(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   v1alpha1.Namespace(login),
			Name:        v1alpha1.RegistrySecret(kept.Registry),
			Labels:      map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(login)},
			Annotations: map[string]string{v1alpha1.AnnotationRegistry: kept.Registry},
		},
		Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: config},
	})
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=secrets,verbs=create;update

// putSecret writes a Secret, in place of one of its name. It is not read before, which
// the gateway may not do: the newest one holds.
func (c *Client) putSecret(ctx context.Context, secret *corev1.Secret) error {
	err := do(ctx, c.core.Post().Namespace(secret.Namespace).Resource("secrets").Body(secret), nil)
	if fault.KindOf(err) == fault.AlreadyExists {
		err = do(ctx, c.core.Put().Namespace(secret.Namespace).Resource("secrets").Name(secret.Name).Body(secret), nil)
	}
	return err
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
