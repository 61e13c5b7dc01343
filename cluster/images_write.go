package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// CreateImage creates an image, of which the account may have limit in all. The same
// clientMutationID again gives the image that it created. Faults: BadUserInput,
// AlreadyExists, LimitExceeded, and Conflict for a namespace that is not the account's.
// Replicas that create at the same moment are held to the limit by the namespace's quota.
// Kubernetes: POST; before the account's first write through this process GET and
// perhaps POST of its namespace; for a name that is taken GET; POST again and again, for
// seconds, where the quota has not caught up with what was deleted or with the plan.
func (c *Client) CreateImage(ctx context.Context, owner model.Owner, in model.CreateImageInput, limit int) (*model.Image, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	namespace := v1alpha1.Namespace(owner.Login)
	unlock, err := c.writing.lock(ctx, namespace)
	if err != nil {
		return nil, err
	}
	defer unlock()
	_, taken := c.images.get(namespace, in.Name)
	if !taken && c.images.count(byAccount, namespace) >= limit {
		return nil, tooManyImages(limit)
	}
	image := newImage(owner.Login, in)
	err = c.withinQuota(ctx, namespace, limit, func() error { return c.post(ctx, owner, image) })
	switch fault.KindOf(err) {
	case fault.AlreadyExists:
		image, err = c.createdBefore(ctx, owner.Login, in)
	case fault.LimitExceeded: // a quota refuses also what is there already
		if before, asked := c.createdBefore(ctx, owner.Login, in); fault.KindOf(asked) != fault.Conflict {
			image, err = before, asked
		}
	}
	if err != nil {
		return nil, err
	}
	return c.images.remember(image)
}

// createdBefore gives the image whose name was found taken, if the same mutation made it.
func (c *Client) createdBefore(ctx context.Context, login string, in model.CreateImageInput) (*v1alpha1.Image, error) {
	image, err := c.liveImage(ctx, model.Key{Login: login, Name: in.Name})
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil, fault.New(fault.Conflict, "The image %s is being deleted: try again when it is gone.", in.Name)
	case err != nil:
		return nil, err
	case hashOf(in.ClientMutationID) == "" || image.Annotations[annotationCreate] != hashOf(in.ClientMutationID):
		return nil, fault.New(fault.AlreadyExists,
			"An image of the name %s exists already: choose another name, or update that one.", in.Name)
	}
	return image, nil
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=images,verbs=create

// post creates an image in the account's namespace, which is made where it is missing.
func (c *Client) post(ctx context.Context, owner model.Owner, image *v1alpha1.Image) error {
	for {
		_, settled := c.accounts.Load(image.Namespace)
		if err := c.settle(ctx, owner); err != nil {
			return err
		}
		err := do(ctx, c.drydock.Post().Namespace(image.Namespace).Resource("images").Body(image), image)
		if settled && fault.KindOf(err) == fault.NotFound { // the namespace was deleted meanwhile
			c.accounts.Delete(image.Namespace)
			continue
		}
		return err
	}
}

func newImage(login string, in model.CreateImageInput) *v1alpha1.Image {
	image := &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{
		Namespace:   v1alpha1.Namespace(login),
		Name:        in.Name,
		Labels:      map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(login)},
		Annotations: map[string]string{v1alpha1.AnnotationLogin: login},
	}}
	if hash := hashOf(in.ClientMutationID); hash != "" {
		image.Annotations[annotationCreate] = hash
	}
	image.Spec.Source = v1alpha1.GitSource(*in.Source)
	image.Spec.Destination = in.Destination
	image.Spec.Tags = in.Tags
	image.Spec.BuildArgs = buildArgs(in.BuildArgs)
	image.Spec.Platforms = in.Platforms
	image.Spec.Cache = &in.Cache
	setTriggers(image, in.Triggers, in.ClientMutationID)
	image.Spec.TimeoutSeconds = seconds(in.TimeoutSeconds)
	image.Spec.Public = in.Public
	return image
}

// UpdateImage changes what the input sets. The same clientMutationID again changes
// nothing, as long as few other changes came in between. Faults: BadUserInput,
// NotFound, and Conflict where others write without a pause.
// Kubernetes: GET and PUT, again where somebody wrote in between.
func (c *Client) UpdateImage(ctx context.Context, key model.Key, in model.UpdateImageInput) (*model.Image, error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, err
	}
	hash := hashOf(in.ClientMutationID)
	image, err := c.changeImage(ctx, key, "", func(image *v1alpha1.Image) (bool, error) {
		if noteUpdate(image, hash) {
			return false, nil
		}
		applyUpdate(&image.Spec, in)
		if triggers, set := in.Triggers.ValueOK(); set {
			setTriggers(image, triggers, in.ClientMutationID)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return c.images.remember(image)
}

func applyUpdate(spec *v1alpha1.ImageSpec, in model.UpdateImageInput) {
	if source, set := in.Source.ValueOK(); set {
		spec.Source = v1alpha1.GitSource(*source)
	}
	if destination, set := in.Destination.ValueOK(); set {
		spec.Destination = *destination
	}
	if tags, set := in.Tags.ValueOK(); set {
		spec.Tags = tags // null: the API server's default
	}
	if args, set := in.BuildArgs.ValueOK(); set {
		spec.BuildArgs = buildArgs(args)
	}
	if platforms, set := in.Platforms.ValueOK(); set {
		spec.Platforms = platforms
	}
	if cached, set := in.Cache.ValueOK(); set {
		spec.Cache = cached // null: true
	}
	if timeout, set := in.TimeoutSeconds.ValueOK(); set {
		spec.TimeoutSeconds = seconds(timeout)
	}
	if suspended, set := in.Suspended.ValueOK(); set {
		spec.Suspended = suspended != nil && *suspended
	}
	if public, set := in.Public.ValueOK(); set {
		spec.Public = public != nil && *public
	}
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=images;images/status,verbs=update

// changeImage updates an image, or a subresource of it, by a function of the present
// one, which says whether there is anything to write.
func (c *Client) changeImage(ctx context.Context, key model.Key, subresource string, change func(*v1alpha1.Image) (bool, error)) (image *v1alpha1.Image, err error) {
	unlock, err := c.writing.lock(ctx, v1alpha1.Namespace(key.Login))
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = again(ctx, func() error {
		if image, err = c.liveImage(ctx, key); err != nil {
			return err
		}
		if changed, err := change(image); !changed || err != nil {
			return err
		}
		put := c.drydock.Put().Namespace(image.Namespace).Resource("images").Name(image.Name)
		if subresource != "" {
			put = put.SubResource(subresource)
		}
		return do(ctx, put.Body(image), image)
	})
	return image, err
}

func (c *Client) liveImage(ctx context.Context, key model.Key) (*v1alpha1.Image, error) {
	image := &v1alpha1.Image{}
	return image, c.live(ctx, "images", key, image, noImage)
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=images;builds,verbs=get

// live reads an object as it is now, past the store; none says that it is not there.
func (c *Client) live(ctx context.Context, resource string, key model.Key, into apiObject, none string) error {
	if key.Name == "" || len(content.IsPathSegmentName(key.Name)) > 0 {
		return fault.New(fault.NotFound, "%s", none)
	}
	err := do(ctx, c.drydock.Get().Namespace(v1alpha1.Namespace(key.Login)).Resource(resource).Name(key.Name), into)
	if err == nil && into.GetDeletionTimestamp() != nil {
		return fault.New(fault.NotFound, "%s", none)
	}
	return missing(err, none)
}

// DeleteImage deletes an image; the controller cancels its unfinished builds. The same
// clientMutationID again deletes nothing, also where a new image has the name, as long
// as the account deleted few others in between. Unknown images are fault.NotFound.
// Kubernetes: DELETE after a GET; with a clientMutationID also two GETs and a PUT of
// the namespace.
func (c *Client) DeleteImage(ctx context.Context, key model.Key, clientMutationID string) error {
	namespace, hash := v1alpha1.Namespace(key.Login), mutationHash(clientMutationID)
	if hash != "" {
		home, err := c.namespace(ctx, namespace)
		if err != nil {
			return missing(err, noImage)
		}
		if uid, done := recorded(home.Annotations[annotationDeletes], hash); done {
			// Perhaps only recorded: the delete itself may not have come through.
			if err = c.deleteImage(ctx, key, uid); fault.KindOf(err) == fault.NotFound || apierrors.IsConflict(err) {
				return nil
			}
			return err
		}
	}
	image, err := c.liveImage(ctx, key)
	if err != nil {
		return err
	}
	if hash != "" {
		_, err = c.changeNamespace(ctx, namespace, func(home *corev1.Namespace) error {
			home.Annotations[annotationDeletes] = record(home.Annotations[annotationDeletes], hash, string(image.UID))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.deleteImage(ctx, key, string(image.UID))
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups=drydock.dev,resources=images,verbs=delete

// deleteImage deletes an image of that very UID.
func (c *Client) deleteImage(ctx context.Context, key model.Key, uid string) error {
	namespace := v1alpha1.Namespace(key.Login)
	options := metav1.NewPreconditionDeleteOptions(uid)
	err := do(ctx, c.drydock.Delete().Namespace(namespace).Resource("images").Name(key.Name).Body(options), nil)
	if err == nil || fault.KindOf(err) == fault.NotFound {
		c.images.forget(namespace, key.Name, *options.Preconditions.UID)
	}
	return missing(err, noImage)
}

func buildArgs(in []*model.KeyValueInput) []v1alpha1.BuildArg {
	var args []v1alpha1.BuildArg
	for _, arg := range in {
		args = append(args, v1alpha1.BuildArg{Key: arg.Key, Value: arg.Value})
	}
	return args
}

func seconds(in *int) *int32 {
	if in == nil {
		return nil
	}
	out := int32(*in) // validated: at most 86400
	return &out
}
