package conversion_test

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// sample is a small legal object.
func sample(kind, version, namespace, name string) *unstructured.Unstructured {
	spec := map[string]any{
		"source": map[string]any{"repository": "https://git.example.com/team/app.git"},
	}
	if version == "v1alpha1" {
		spec["destination"] = "registry.example.com/team/app"
	} else {
		spec["output"] = map[string]any{"repository": "registry.example.com/team/app"}
	}
	if kind == "Build" {
		spec["account"], spec["number"] = "ada", int64(1)
		spec["image"] = map[string]any{"name": "app", "uid": "u"}
		spec["limits"] = map[string]any{"concurrentBuilds": int64(1), "timeoutSeconds": int64(60), "cpu": "1", "memory": "1Gi"}
	}
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: v1alpha1.GroupVersion.Group, Version: version, Kind: kind})
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// fill creates objects of both kinds by both versions, with what only one version can say.
func (w *world) fill(namespace string, each int) {
	w.t.Helper()
	for i := range each {
		for _, kind := range []string{"Image", "Build"} {
			alpha, beta := sample(kind, "v1alpha1", namespace, fmt.Sprintf("alpha-%d", i)), sample(kind, "v1beta1", namespace, fmt.Sprintf("beta-%d", i))
			alphaSpec, betaSpec := alpha.Object["spec"].(map[string]any), beta.Object["spec"].(map[string]any)
			alphaSpec["tags"] = []any{"{{.ShortCommit}}", "latest"}
			alphaSpec["buildArgs"] = []any{map[string]any{"key": "Z", "value": "ü"}, map[string]any{"key": "A", "value": fmt.Sprint(i)}}
			betaSpec["args"] = map[string]any{"Z": "ü", "A": fmt.Sprint(i)}
			betaSpec["platforms"] = []any{"linux/arm64", "linux/amd64"}
			if kind == "Image" {
				alphaSpec["timeoutSeconds"], alphaSpec["suspended"] = int64(4000), true
				betaSpec["timeout"] = "4000s"
			}
			beta.SetAnnotations(map[string]string{"example.com/mine": "yes"})
			for _, object := range []*unstructured.Unstructured{alpha, beta} {
				w.must(w.Create(w.t.Context(), object))
				object.Object["status"] = map[string]any{"lastBuildNumber": int64(i)}
				if kind == "Build" {
					object.Object["status"] = map[string]any{"phase": "Succeeded", "references": []any{"registry.example.com/team/app:latest"}}
				}
				w.must(w.Status().Update(w.t.Context(), object))
			}
		}
	}
}

// picture is all that a version says of the objects of a namespace, by kind, namespace and
// name, but for what every write changes.
func (w *world) picture(version, namespace string) map[string]any {
	w.t.Helper()
	all := map[string]any{}
	for _, kind := range []string{"Image", "Build"} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: v1alpha1.GroupVersion.Group, Version: version, Kind: kind + "List"})
		w.must(w.List(w.t.Context(), list, client.InNamespace(namespace)))
		for _, object := range list.Items {
			object.SetManagedFields(nil)
			object.SetResourceVersion("")
			all[kind+" "+namespace+"/"+object.GetName()] = object.Object
		}
	}
	return all
}
