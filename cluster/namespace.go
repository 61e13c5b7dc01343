package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=namespaces,verbs=create

// settle makes an account's namespace unless it is there, once per account and
// process. A namespace that is another's is fault.Conflict.
// Kubernetes: GET, and where it is missing POST; nothing for a known account. One that
// tells no customer yet is told: GET and PUT.
func (c *Client) settle(ctx context.Context, owner model.Owner) error {
	err := c.claim(ctx, owner)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.Namespace(owner.Login),
		Labels:      map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(owner.Login)},
		Annotations: map[string]string{v1alpha1.AnnotationLogin: owner.Login}}}
	if owner.CustomerID != "" {
		namespace.Annotations[v1alpha1.AnnotationCustomer] = owner.CustomerID
	}
	err = do(ctx, c.core.Post().Resource("namespaces").Body(namespace), namespace)
	switch {
	case fault.KindOf(err) == fault.AlreadyExists: // another replica was quicker
		return c.claim(ctx, owner)
	case err != nil:
		return err
	}
	return c.claimed(namespace, owner)
}

// claim makes sure that an account's namespace is its own; fault.NotFound where it has
// none yet.
func (c *Client) claim(ctx context.Context, owner model.Owner) error {
	name := v1alpha1.Namespace(owner.Login)
	if customer, known := c.accounts.Load(name); known && customer == owner.CustomerID {
		return nil
	}
	namespace, err := c.namespace(ctx, name)
	if err != nil {
		return err
	}
	if err := ownedBy(namespace.Annotations, name, owner); err != nil {
		return err
	}
	if owner.CustomerID != "" && namespace.Annotations[v1alpha1.AnnotationCustomer] == "" {
		namespace, err = c.changeNamespace(ctx, name, func(namespace *corev1.Namespace) error {
			if err := ownedBy(namespace.Annotations, name, owner); err != nil {
				return err
			}
			namespace.Annotations[v1alpha1.AnnotationCustomer] = owner.CustomerID
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.claimed(namespace, owner)
}

// claimed remembers that a namespace is an owner's.
func (c *Client) claimed(namespace *corev1.Namespace, owner model.Owner) error {
	c.accounts.Store(namespace.Name, owner.CustomerID)
	_, err := c.homes.remember(namespace)
	return err
}

// ownedBy holds a namespace's annotations to an owner.
func ownedBy(annotations map[string]string, name string, owner model.Owner) error {
	if annotations[v1alpha1.AnnotationLogin] != owner.Login {
		return fault.New(fault.Conflict, "The namespace %s is not this account's: "+
			"an administrator must annotate it with %s=%s, or remove it.", name, v1alpha1.AnnotationLogin, owner.Login)
	}
	if held := annotations[v1alpha1.AnnotationCustomer]; held != "" && owner.CustomerID != "" && held != owner.CustomerID {
		return fault.New(fault.Conflict, "The namespace %s holds what a former owner of the login left: "+
			"an administrator must remove it, or annotate it with %s=%s to hand all of it over.", name, v1alpha1.AnnotationCustomer, owner.CustomerID)
	}
	return nil
}

// Owned tells whether what a login has here is this owner's: fault.Conflict where a
// former owner of the login left it. Nobody waits for Kubernetes.
// Kubernetes: no request; behind it, for a namespace that tells no customer, as settle.
func (c *Client) Owned(owner model.Owner) error {
	name := v1alpha1.Namespace(owner.Login)
	home, there := c.homes.get("", name)
	if !there {
		return nil
	}
	if home.customer == "" && owner.CustomerID != "" {
		c.claimBehind(name, owner)
	}
	return ownedBy(map[string]string{v1alpha1.AnnotationLogin: home.login, v1alpha1.AnnotationCustomer: home.customer}, name, owner)
}

// claimBehind claims a namespace that was made before they told their customer, once at
// a time.
func (c *Client) claimBehind(name string, owner model.Owner) {
	if _, running := c.claiming.LoadOrStore(name, nil); running {
		return
	}
	c.spawn(c.life, func(ctx context.Context) {
		defer c.claiming.Delete(name)
		if err := c.claim(ctx, owner); err != nil {
			c.log.Debug("a namespace is not annotated with its customer yet", "namespace", name, "error", err)
		}
	})
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=namespaces,verbs=get

func (c *Client) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	namespace := &corev1.Namespace{}
	return namespace, do(ctx, c.core.Get().Resource("namespaces").Name(name), namespace)
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=namespaces,verbs=update

// changeNamespace changes a namespace by a function of its present state, whose
// annotations are there to be written, and gives what it has become.
// Kubernetes: GET and PUT, again where somebody wrote in between.
func (c *Client) changeNamespace(ctx context.Context, name string, change func(*corev1.Namespace) error) (namespace *corev1.Namespace, err error) {
	return namespace, again(ctx, func() error {
		if namespace, err = c.namespace(ctx, name); err != nil {
			return err
		}
		if namespace.Annotations == nil {
			namespace.Annotations = map[string]string{}
		}
		if err := change(namespace); err != nil {
			return err
		}
		return do(ctx, c.core.Put().Resource("namespaces").Name(name).Body(namespace), namespace)
	})
}
