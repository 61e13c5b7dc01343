package node

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podresource "k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment is a container's variables by name.
type environment map[string]string

func (e environment) list() []string {
	list := make([]string, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}

// expand replaces $(NAME) by the variable's value; unknown names stay as they are, $$ is one $.
func (e environment) expand(text string) string {
	return expansion.Expand(text, expansion.MappingFuncFor(e))
}

// environment gathers the container's variables: those every container has here, envFrom, env.
func (c *container) environment() (environment, error) {
	object := c.pod.current()
	env := c.baseEnvironment(object)
	for _, source := range c.spec.EnvFrom {
		values, err := c.pod.envSource(object.Namespace, source)
		if err != nil {
			return nil, configError{err}
		}
		for key, value := range values {
			env[source.Prefix+key] = value
		}
	}
	for _, variable := range c.spec.Env {
		if variable.ValueFrom == nil {
			env[variable.Name] = env.expand(variable.Value)
			continue
		}
		value, found, err := c.valueFrom(object, variable.ValueFrom)
		if err != nil {
			return nil, configError{fmt.Errorf("variable %s: %w", variable.Name, err)}
		}
		if found {
			env[variable.Name] = value
		}
	}
	return env, nil
}

// baseEnvironment is what an image and the kubelet would set. Containers have no image here, so they get the node's PATH.
func (c *container) baseEnvironment(object *corev1.Pod) environment {
	host, port, err := net.SplitHostPort(c.pod.node.options.APIServer)
	if err != nil {
		host, port = "", ""
	}
	env := environment{
		"PATH":                    os.Getenv("PATH"),
		"HOME":                    c.path("work"),
		"HOSTNAME":                object.Name,
		"KUBERNETES_SERVICE_HOST": host,
		"KUBERNETES_SERVICE_PORT": port,
		"TERMINATION_LOG_PATH":    c.spec.TerminationMessagePath,
	}
	if !c.pod.node.isolated {
		env["TERMINATION_LOG_PATH"] = c.terminationFile()
		for name, path := range c.volumes {
			env["KUBESTACK_VOLUME_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = path
		}
	}
	return env
}

func (p *pod) envSource(namespace string, source corev1.EnvFromSource) (map[string]string, error) {
	values := map[string]string{}
	switch {
	case source.SecretRef != nil:
		data, err := p.secret(namespace, source.SecretRef.Name, source.SecretRef.Optional)
		for key, value := range data {
			values[key] = string(value)
		}
		return values, err
	case source.ConfigMapRef != nil:
		data, err := p.configMap(namespace, source.ConfigMapRef.Name, source.ConfigMapRef.Optional)
		for key, value := range data {
			values[key] = string(value)
		}
		return values, err
	}
	return values, nil
}

func (c *container) valueFrom(object *corev1.Pod, source *corev1.EnvVarSource) (value string, found bool, err error) {
	var data map[string][]byte
	var name, key string
	var optional *bool
	switch {
	case source.FieldRef != nil:
		value, err = podField(object, source.FieldRef.FieldPath)
		return value, err == nil, err
	case source.ResourceFieldRef != nil:
		value, err = c.pod.resourceField(object, source.ResourceFieldRef, c.spec.Name)
		return value, err == nil, err
	case source.SecretKeyRef != nil:
		ref := source.SecretKeyRef
		name, key, optional = ref.Name, ref.Key, ref.Optional
		data, err = c.pod.secret(object.Namespace, name, optional)
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		name, key, optional = ref.Name, ref.Key, ref.Optional
		data, err = c.pod.configMap(object.Namespace, name, optional)
	default:
		return "", false, fmt.Errorf("valueFrom needs fieldRef, resourceFieldRef, secretKeyRef or configMapKeyRef here")
	}
	if err != nil {
		return "", false, err
	}
	bytes, found := data[key]
	if !found && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("couldn't find key %s in %s/%s", key, object.Namespace, name)
	}
	return string(bytes), found, nil
}

// podField reads a field of the pod as the downward API names it.
func podField(object *corev1.Pod, path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return object.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return object.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return object.Status.HostIP, nil
	case "status.podIP", "status.podIPs":
		return object.Status.PodIP, nil
	}
	return fieldpath.ExtractFieldPathAsString(object, path)
}

func (p *pod) resourceField(object *corev1.Pod, ref *corev1.ResourceFieldSelector, container string) (string, error) {
	if ref.ContainerName != "" {
		container = ref.ContainerName
	}
	return podresource.ExtractResourceValueByContainerNameAndNodeAllocatable(ref, object, container, capacity(p.node.options.MaxPods))
}

// secret returns the data of a Secret; a missing one is empty when optional.
func (p *pod) secret(namespace, name string, optional *bool) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(p.term, publishTimeout)
	defer cancel()
	secret, err := p.node.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, missing(err, optional)
	}
	return secret.Data, nil
}

// configMap returns the data of a ConfigMap, text and binary; a missing one is empty when optional.
func (p *pod) configMap(namespace, name string, optional *bool) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(p.term, publishTimeout)
	defer cancel()
	config, err := p.node.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, missing(err, optional)
	}
	data := maps.Clone(config.BinaryData)
	if data == nil {
		data = map[string][]byte{}
	}
	for key, value := range config.Data {
		data[key] = []byte(value)
	}
	return data, nil
}

func missing(err error, optional *bool) error {
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil
	}
	return err
}
