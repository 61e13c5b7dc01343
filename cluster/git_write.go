package cluster

import (
	"context"
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// SetGitCredential keeps a token or a key for an image's repository in place of the one
// there is, and gives the image. It goes with the image. The same clientMutationID again
// changes nothing, as long as few other changes came in between. Faults: BadUserInput,
// NotFound.
// Kubernetes: GET of the image; POST of the Secret, PUT where it is there; GET and PUT of
// the image, again where somebody wrote in between.
func (c *Client) SetGitCredential(ctx context.Context, key model.Key, in model.SetGitCredentialInput) (*model.Image, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, done := recorded(image.Annotations[annotationUpdates], hashOf(in.ClientMutationID)); done {
		return c.images.remember(image)
	}
	scheme, host := model.GitOrigin(image.Spec.Source.Repository)
	data, problem := gitSecret(scheme, host, in)
	if problem != "" {
		return nil, fault.New(fault.BadUserInput, "%s", problem)
	}
	if err := c.putSecret(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: image.Namespace, Name: v1alpha1.GitSecret(image.Name, string(image.UID)),
			Labels: map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(key.Login), v1alpha1.LabelImage: image.Name},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Image",
				Name: image.Name, UID: image.UID}},
		},
		Data: data,
	}); err != nil {
		return nil, err
	}
	kept := v1alpha1.GitCredential{Kind: string(model.GitCredentialKindSSHKey), Host: host, Time: metav1.NewTime(c.now().UTC()).Rfc3339Copy()}
	if in.Token != nil {
		kept.Kind, kept.Username = string(model.GitCredentialKindToken), in.Username
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return c.annotateImage(ctx, key, image, hashOf(in.ClientMutationID), string(text))
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=secrets,verbs=delete

// DeleteGitCredential forgets an image's credential, and gives the image. The same
// clientMutationID again does nothing more. An image without one is fault.NotFound.
// Kubernetes: GET of the image, DELETE of the Secret, GET and PUT of the image.
func (c *Client) DeleteGitCredential(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error) {
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, done := recorded(image.Annotations[annotationUpdates], mutationHash(clientMutationID)); done {
		return c.images.remember(image)
	}
	if _, there := v1alpha1.GitCredentialOf(image); !there {
		return nil, fault.New(fault.NotFound, "The image %s has no git credential.", image.Name)
	}
	secret := v1alpha1.GitSecret(image.Name, string(image.UID))
	err = do(ctx, c.core.Delete().Namespace(image.Namespace).Resource("secrets").Name(secret), nil)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	return c.annotateImage(ctx, key, image, mutationHash(clientMutationID), "")
}

// annotateImage tells of a credential on the very image that was read, and takes that
// back where the text is empty.
func (c *Client) annotateImage(ctx context.Context, key model.Key, read *v1alpha1.Image, hash, text string) (*model.Image, error) {
	image, err := c.changeImage(ctx, key, "", func(image *v1alpha1.Image) (bool, error) {
		if image.UID != read.UID {
			return false, fault.New(fault.NotFound, noImage)
		}
		if hash != "" {
			metav1.SetMetaDataAnnotation(&image.ObjectMeta, annotationUpdates, record(image.Annotations[annotationUpdates], hash, ""))
		}
		if delete(image.Annotations, v1alpha1.AnnotationGitCredential); text != "" {
			metav1.SetMetaDataAnnotation(&image.ObjectMeta, v1alpha1.AnnotationGitCredential, text)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return c.images.remember(image)
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
