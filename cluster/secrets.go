package cluster

import (
	"context"
	"crypto/rand"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// How users' secrets are written. Nobody of ours may read Secrets (docs/adr/0011), so an
// object that is watched anyway, the account's Namespace or the Image, tells which there
// are. Each setting is a Secret of its own with a name that was never used:
//
//	set     announce the new name, POST the Secret, take it into use
//	delete  take it out of use, DELETE the Secret, forget it
//
// Each step is one write of the object, under its resource version. So what is listed is
// there, and what is there is listed or loose; sweep deletes what is loose and due.
const (
	// secretPatience bounds the writing of a Secret.
	secretPatience = time.Minute
	// secretLinger is when a Secret that was announced and not taken into use is one whose
	// writer died; and how long a replaced one stays for builds that are about to mount it.
	// It is far beyond secretPatience, because replicas' clocks differ.
	secretLinger = 10 * time.Minute
	// maxLoose bounds an object's loose Secrets: the annotation is bounded.
	maxLoose = 200
)

// holder changes what the object that a secret belongs to tells of secrets. The change is
// repeated where somebody wrote in between.
type holder func(ctx context.Context, change func(*v1alpha1.Secrets) error) error

// inNamespace is the account's Namespace, for logins.
func (c *Client) inNamespace(login string) holder {
	return func(ctx context.Context, change func(*v1alpha1.Secrets) error) error {
		name := v1alpha1.Namespace(login)
		unlock, err := c.writing.lock(ctx, name)
		if err != nil {
			return err
		}
		defer unlock()
		home, err := c.changeNamespace(ctx, name, func(home *corev1.Namespace) error { return changeSecrets(home, change) })
		if err != nil {
			return err
		}
		_, err = c.homes.remember(home)
		return err
	}
}

// inImage is that very Image. Its present state is put where into leads.
func (c *Client) inImage(key model.Key, uid types.UID, into **model.Image) holder {
	return func(ctx context.Context, change func(*v1alpha1.Secrets) error) error {
		image, err := c.changeImage(ctx, key, "", func(image *v1alpha1.Image) (bool, error) {
			if image.UID != uid {
				return false, fault.New(fault.NotFound, noImage)
			}
			return true, changeSecrets(image, change)
		})
		if err != nil {
			return err
		}
		*into, err = c.images.remember(image)
		return err
	}
}

func changeSecrets(object metav1.Object, change func(*v1alpha1.Secrets) error) error {
	all := v1alpha1.SecretsOf(object)
	if err := change(&all); err != nil {
		return err
	}
	return all.Annotate(object)
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=secrets,verbs=create

// keepSecret writes a secret in place of the one of its use and name, where allow has
// nothing against it. A mutation that was made already is not made again.
// Kubernetes: GET and PUT of the holder, POST of the Secret, GET and PUT of the holder.
func (c *Client) keepSecret(ctx context.Context, in holder, kept v1alpha1.KeptSecret, mutation string, secret *corev1.Secret, allow func(*v1alpha1.Secrets) error) error {
	ctx, cancel := context.WithTimeout(ctx, secretPatience)
	defer cancel()
	kept.Secret, kept.Time = secret.Name, c.due(0)
	err := in(ctx, func(all *v1alpha1.Secrets) error {
		if len(all.Loose) >= maxLoose {
			return fault.New(fault.RateLimited, "Secrets were set %d times within %s: try again later.", maxLoose, secretLinger)
		}
		all.Announce(secret.Name, c.due(secretLinger))
		return allow(all)
	})
	if err != nil {
		return err
	}
	if err := do(ctx, c.core.Post().Namespace(secret.Namespace).Resource("secrets").Body(secret), nil); err != nil {
		return err // sweep deletes what came of it
	}
	return in(ctx, func(all *v1alpha1.Secrets) error {
		if all.Noted(mutation) {
			return nil // through another replica, at the same moment
		}
		if err := allow(all); err != nil {
			return err
		}
		if !all.Keep(kept, c.due(secretLinger)) {
			return c.tooSlow(ctx, secret)
		}
		all.Note(mutation)
		return nil
	})
}

// tooSlow deletes a Secret that was taken for lost, by a clock far from this one.
func (c *Client) tooSlow(ctx context.Context, secret *corev1.Secret) error {
	if err := c.deleteSecret(ctx, secret.Namespace, secret.Name); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, "The secret could not be kept in time: try again.")
}

// dropSecret takes a secret out of use, and deletes it; none says that there is none.
// What hinders the deletion alone is told to the log: builds go without the secret from
// now on, and sweep ends the work.
// Kubernetes: GET and PUT of the holder, DELETE of the Secret, GET and PUT of the holder.
func (c *Client) dropSecret(ctx context.Context, namespace string, in holder, use v1alpha1.SecretUse, name, mutation, none string) error {
	var loose []v1alpha1.LooseSecret
	err := in(ctx, func(all *v1alpha1.Secrets) error {
		if !all.Noted(mutation) {
			if !all.Drop(use, name, c.due(0)) {
				return fault.New(fault.NotFound, "%s", none)
			}
			all.Note(mutation)
		}
		loose = all.Loose
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.clear(ctx, namespace, in, loose); err != nil {
		c.log.Warn("a secret that is out of use is not deleted yet", "namespace", namespace, "use", use, "error", err)
	}
	return nil
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=secrets,verbs=delete

// deleteSecret deletes a Secret of that name, if there is one.
func (c *Client) deleteSecret(ctx context.Context, namespace, name string) error {
	err := do(ctx, c.core.Delete().Namespace(namespace).Resource("secrets").Name(name), nil)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// due is the time after a while, in whole seconds, as JSON has them.
func (c *Client) due(wait time.Duration) metav1.Time {
	return metav1.NewTime(c.now().UTC().Add(wait)).Rfc3339Copy()
}

// newSecret is a Secret of an account, of a name that was never used. It never changes, and
// says so: a node goes on with what it mounted, and a build that runs keeps a secret that is
// replaced meanwhile (https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable).
func newSecret(login string, use v1alpha1.SecretUse, name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: v1alpha1.Namespace(login),
			Name:      v1alpha1.HashedName(string(use)+"-"+name, rand.Text(), 63),
			Labels:    map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(login)},
		},
		Immutable: new(true),
	}
}

// newImageSecret is a Secret that goes with its Image.
func newImageSecret(key model.Key, image *v1alpha1.Image, use v1alpha1.SecretUse) *corev1.Secret {
	secret := newSecret(key.Login, use, image.Name)
	secret.Labels[v1alpha1.LabelImage] = image.Name
	secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Image", Name: image.Name, UID: image.UID}}
	return secret
}

// secretMutation tells a change of a secret from all others; empty without a clientMutationID.
func secretMutation(what string, use v1alpha1.SecretUse, name string, id *string) string {
	if id == nil || *id == "" {
		return ""
	}
	return mutationHash(what + " " + string(use) + " " + name + " " + *id)
}
