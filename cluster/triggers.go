package cluster

import (
	"context"
	"crypto/rand"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// triggersOf says an Image's triggers in our words.
func triggersOf(o *v1alpha1.Image) *model.ImageTriggers {
	triggers := &model.ImageTriggers{
		Push: o.Spec.Triggers.Push, Schedule: optional(o.Spec.Triggers.Schedule), BaseImage: o.Spec.Triggers.BaseImage,
		Suspended: o.Spec.Suspended, PushNonce: o.Annotations[v1alpha1.AnnotationPushNonce],
	}
	if seen := o.Status.Triggers; seen != nil {
		triggers.BaseImageMessage = optional(seen.BaseImageMessage)
		if schedule := seen.Schedule; schedule != nil {
			triggers.LastRunAt, triggers.ScheduleMessage = timeOf(schedule.LastTime), optional(schedule.Message)
		}
	}
	return triggers
}

// setTriggers replaces an image's triggers. Push that is turned on gets a nonce by the
// mutation, and loses it when it is turned off.
func setTriggers(image *v1alpha1.Image, in *model.ImageTriggersInput, mutationID *string) {
	image.Spec.Triggers = v1alpha1.ImageTriggers{}
	if in != nil {
		image.Spec.Triggers = v1alpha1.ImageTriggers{Push: in.Push, BaseImage: in.BaseImage}
		if in.Schedule != nil {
			image.Spec.Triggers.Schedule = *in.Schedule
		}
	}
	switch {
	case !image.Spec.Triggers.Push:
		delete(image.Annotations, v1alpha1.AnnotationPushNonce)
	case image.Annotations[v1alpha1.AnnotationPushNonce] == "":
		setPushNonce(image, mutationID)
	}
}

func setPushNonce(image *v1alpha1.Image, mutationID *string) {
	if hashOf(mutationID) == "" {
		mutationID = new(rand.Text())
	}
	metav1.SetMetaDataAnnotation(&image.ObjectMeta, v1alpha1.AnnotationPushNonce, model.PushNonce(*mutationID))
}

// RotatePushNonce voids the secret of an image's webhook, and gives the image with another
// nonce. The same clientMutationID again changes nothing, as long as few other changes came
// in between. Faults: NotFound, Conflict where push is off.
// Kubernetes: GET and PUT, again where somebody wrote in between.
func (c *Client) RotatePushNonce(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error) {
	hash, rotation := hashOfKind("rotate", &clientMutationID), (*string)(nil)
	if hash != "" {
		rotation = new(model.Rotation(clientMutationID))
	}
	image, err := c.changeImage(ctx, key, "", func(image *v1alpha1.Image) (bool, error) {
		if !image.Spec.Triggers.Push {
			return false, fault.New(fault.Conflict, "Pushes start no builds of %s: update it with triggers: {push: true} first.", image.Name)
		}
		if noteUpdate(image, hash) {
			return false, nil
		}
		setPushNonce(image, rotation)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return c.images.remember(image)
}
