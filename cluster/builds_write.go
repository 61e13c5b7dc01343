package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/launch"
)

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=builds,verbs=create

// StartBuild queues a build of an image: a snapshot of the image as it is now and of
// the plan's limits. The same clientMutationID again gives the build that it started.
// Faults: BadUserInput for the ref, NotFound, Conflict for a suspended image and for a
// namespace that is not the account's, LimitExceeded for a plan without builds.
// Kubernetes: GET of the image, PUT of its status (these two again where somebody
// wrote in between), POST; for a build that this replica knows, GET alone. Before the
// account's first write through this process GET of its namespace, and PUT where that
// tells no customer.
func (c *Client) StartBuild(ctx context.Context, start model.BuildStart) (*model.Build, error) {
	return c.start(ctx, start, func(image *v1alpha1.Image) (string, error) {
		return string(image.UID) + "/" + string(start.Trigger), nil
	})
}

// start queues a build of an image. What identify says of the image as it is now,
// together with the clientMutationID, is the identity of the build.
func (c *Client) start(ctx context.Context, start model.BuildStart, identify func(*v1alpha1.Image) (string, error)) (*model.Build, error) {
	if err := invalid(start.Validate()); err != nil {
		return nil, err
	}
	if err := c.claim(ctx, model.Owner{Login: start.Image.Login, CustomerID: start.CustomerID}); err != nil {
		return nil, missing(err, noImage)
	}
	mutation := start.ClientMutationID
	if mutation == "" {
		mutation = rand.Text()
	}
	var b *v1alpha1.Build
	var known *build
	image, err := c.changeImage(ctx, start.Image, "status", func(image *v1alpha1.Image) (bool, error) {
		identity, err := identify(image)
		if err != nil {
			return false, err
		}
		name := launch.Name(image, identity+"/"+mutation)
		if known, _ = c.builds.get(image.Namespace, name); known != nil {
			return false, nil
		}
		if b, err = launch.Build(name, start, image); err != nil {
			return false, err
		}
		image.Status.LastBuildNumber++
		b.Spec.Number = image.Status.LastBuildNumber
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if known != nil {
		return known.Build, nil
	}
	if _, err = c.images.remember(image); err != nil {
		return nil, err
	}
	err = do(ctx, c.drydock.Post().Namespace(b.Namespace).Resource("builds").Body(b), b)
	if fault.KindOf(err) == fault.AlreadyExists { // the same mutation, through another replica
		b, err = c.liveBuild(ctx, model.Key{Login: start.Image.Login, Name: b.Name})
	}
	if err != nil {
		return nil, err
	}
	return c.rememberBuild(b)
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=builds,verbs=patch

// CancelBuild asks the controller to end a build, and gives the build as it is now. A
// build that has ended, or is being ended, stays as it is. Unknown ones are fault.NotFound.
// Kubernetes: GET and PATCH; GET alone where there is nothing to do.
func (c *Client) CancelBuild(ctx context.Context, key model.Key) (*model.Build, error) {
	b, err := c.liveBuild(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, asked := b.Annotations[v1alpha1.AnnotationCancelRequested]; !asked && !b.Status.Phase.Done() {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
			"uid":         b.UID, // that very build
			"annotations": map[string]string{v1alpha1.AnnotationCancelRequested: c.now().UTC().Format(time.RFC3339)},
		}})
		if err != nil {
			return nil, err
		}
		err = do(ctx, c.drydock.Patch(types.MergePatchType).Namespace(b.Namespace).Resource("builds").Name(b.Name).Body(patch), b)
		if err != nil {
			return nil, missing(err, noBuild)
		}
	}
	return c.rememberBuild(b)
}

// RetryBuild queues a build of an ended build's commit, or of its ref where the commit
// is not known, with the image's present settings. The start's image, ref, commit and
// trigger are the build's. The same clientMutationID again gives the build that it started. Faults:
// BadUserInput, NotFound, Conflict for a build that has not ended, for an image that is
// gone or suspended and for a namespace that is not the account's.
// Kubernetes: GET of the build, then as StartBuild.
func (c *Client) RetryBuild(ctx context.Context, key model.Key, start model.BuildStart) (*model.Build, error) {
	b, err := c.liveBuild(ctx, key)
	if err != nil {
		return nil, err
	}
	if !b.Status.Phase.Done() {
		return nil, fault.New(fault.Conflict, "The build has not ended yet: wait for its end, or cancel it, then retry.")
	}
	start.Image, start.Trigger = model.Key{Login: key.Login, Name: b.Spec.Image.Name}, model.BuildTriggerRetry
	start.Ref, start.Commit = b.Spec.Source.Ref, cmp.Or(b.Status.Commit, b.Spec.Commit)
	start.TriggeredBy = fmt.Sprintf("build %d", b.Spec.Number)
	const gone = "The image that this build was of is gone: create it again and start a build of it."
	retried, err := c.start(ctx, start, func(image *v1alpha1.Image) (string, error) {
		if string(image.UID) != b.Spec.Image.UID {
			return "", fault.New(fault.Conflict, gone)
		}
		return string(b.UID), nil
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.Conflict, gone)
	}
	return retried, err
}

func (c *Client) liveBuild(ctx context.Context, key model.Key) (*v1alpha1.Build, error) {
	b := &v1alpha1.Build{}
	return b, c.live(ctx, "builds", key, b, noBuild)
}

func (c *Client) rememberBuild(written *v1alpha1.Build) (*model.Build, error) {
	b, err := c.builds.remember(written)
	if err != nil {
		return nil, err
	}
	return b.Build, nil
}
