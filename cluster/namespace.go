package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
)

// settle makes an account's namespace unless it is there, once per account and
// process. A namespace that is another's is fault.Conflict.
// Kubernetes: GET, and where it is missing POST; nothing for a known account.
func (c *Client) settle(ctx context.Context, login string) error {
	name := v1alpha1.Namespace(login)
	if _, known := c.accounts.Load(name); known {
		return nil
	}
	namespace, err := c.namespace(ctx, name)
	if fault.KindOf(err) == fault.NotFound {
		namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name,
			Labels:      map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(login)},
			Annotations: map[string]string{v1alpha1.AnnotationLogin: login}}}
		err = do(ctx, c.core.Post().Resource("namespaces").Body(namespace), namespace)
		if fault.KindOf(err) == fault.AlreadyExists { // another replica was quicker
			namespace, err = c.namespace(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	if namespace.Annotations[v1alpha1.AnnotationLogin] != login {
		return fault.New(fault.Conflict, "The namespace %s is not this account's: "+
			"an administrator must annotate it with %s=%s, or remove it.", name, v1alpha1.AnnotationLogin, login)
	}
	c.accounts.Store(name, nil)
	return nil
}

func (c *Client) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	namespace := &corev1.Namespace{}
	return namespace, do(ctx, c.core.Get().Resource("namespaces").Name(name), namespace)
}

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
