package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// fieldManager owns the fields that Apply sets.
const fieldManager = "drydock"

// early are the kinds that others wait for.
var early = []string{"Namespace", "CustomResourceDefinition"}

// Apply makes the objects of YAML documents be as they say, by server-side apply:
// again changes nothing. Namespaces and CRDs come first, and CRDs are waited for until
// the API server serves them, within the context's time. Lists are not taken apart.
func Apply(ctx context.Context, kubeconfig string, manifests ...[]byte) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	config.QPS = -1
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return err
	}
	objects, err := documents(manifests)
	if err != nil {
		return err
	}
	a := applier{client: client, resources: map[string][]metav1.APIResource{}}
	for _, object := range objects {
		if err := a.apply(ctx, object); err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// documents takes YAML apart, and sorts what others wait for to the front.
func documents(manifests [][]byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, manifest := range manifests {
		for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("manifest: %w", err)
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		// The later in the list, the earlier; what is not in it (-1) comes last.
		return slices.Index(early, b.GetKind()) - slices.Index(early, a.GetKind())
	})
	return objects, nil
}

type applier struct {
	client *rest.RESTClient
	// resources are those of a group and version that were asked for before.
	resources map[string][]metav1.APIResource
}

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := a.resource(ctx, object)
	if err != nil {
		return err
	}
	path := []string{groupPath(object.GetAPIVersion())}
	if resource.Namespaced {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		path = append(path, "namespaces", namespace)
	}
	body, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	path = append(path, resource.Name, object.GetName())
	err = a.client.Patch(types.ApplyYAMLPatchType).AbsPath(path...).
		Param("fieldManager", fieldManager).Param("force", "true").Body(body).Do(ctx).Error()
	if err == nil && object.GetKind() == "CustomResourceDefinition" {
		err = a.established(ctx, path)
	}
	return translate(err)
}

func groupPath(version string) string {
	if strings.Contains(version, "/") {
		return "/apis/" + version
	}
	return "/api/" + version
}

// resource finds the resource of an object's kind. A group that was defined a moment
// ago may not be served yet.
func (a *applier) resource(ctx context.Context, object *unstructured.Unstructured) (found metav1.APIResource, err error) {
	version := object.GetAPIVersion()
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		for _, found := range a.resources[version] {
			if found.Kind == object.GetKind() && !strings.Contains(found.Name, "/") {
				return found, nil
			}
		}
		var list metav1.APIResourceList
		raw, err := a.client.Get().AbsPath(groupPath(version)).DoRaw(ctx)
		if err == nil {
			err = json.Unmarshal(raw, &list)
		}
		if a.resources[version] = list.APIResources; ctx.Err() != nil {
			return found, errors.Join(fmt.Errorf("no such kind in %s", version), err, ctx.Err())
		}
		if !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == object.GetKind() }) {
			pause(ctx, 50*time.Millisecond)
		}
	}
}

// established waits until the API server serves a CRD.
func (a *applier) established(ctx context.Context, path []string) error {
	for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		raw, err := a.client.Get().AbsPath(path...).DoRaw(ctx)
		if err != nil {
			return err
		}
		var definition struct {
			Status struct{ Conditions []metav1.Condition }
		}
		if err := json.Unmarshal(raw, &definition); err != nil {
			return err
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == "Established" && condition.Status == metav1.ConditionTrue {
				return nil
			}
		}
	}
	return ctx.Err()
}
