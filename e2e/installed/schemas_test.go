package installed

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/stack"
)

// TestSchemas holds the manifests of both ways, and of the examples, against the API server's own schemas: no field that it
// does not know, none of a wrong type.
func TestSchemas(t *testing.T) {
	rendered := map[string][]byte{}
	var err error
	for _, dir := range []string{"deploy", "examples/production", "examples/development"} {
		if rendered[dir], err = kustomize(filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	if rendered["conversion"], err = kustomize(withComponent(t, "components/conversion")); err != nil {
		t.Fatal(err)
	}
	if rendered["helm"], err = helm(); err != nil {
		t.Fatal(err)
	}
	all := []string{"--set", "gateway.ingress.enabled=true", "--set", "gateway.ingress.tlsSecret=tls", "--set", "gateway.ingress.className=a",
		"--set", "gateway.tlsSecret=tls", "--set", "image.pullSecrets={a}", "--set", "gateway.nodeSelector.a=b", "--set", "gateway.podLabels.a=b",
		"--set", "gateway.podAnnotations.a=b", "--set", "gateway.tolerations[0].operator=Exists", "--set", "gateway.priorityClassName=a",
		"--set", "gateway.env[0].name=A", "--set", "gateway.env[0].value=b", "--set", "conversion.enabled=true",
		"--set", "strategies={buildkit,buildah}", "--set", "networkPolicy.metricsFrom[0].podSelector.matchLabels.a=b"}
	if rendered["helm with everything"], err = helm(all...); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, manifest := range rendered {
		for _, object := range objects(t, manifest) {
			kinds[schemaFile(object.GroupVersionKind().Group, object.GroupVersionKind().Version, object.GetKind())] = true
		}
	}
	schemas := t.TempDir()
	writeSchemas(t, schemas, kinds)
	for name, manifest := range rendered {
		if report, err := conform(t, schemas, manifest); err != nil {
			t.Errorf("%s: %v\n%s", name, err, report)
		}
	}
	for reason, change := range map[string][2]string{
		"a field that there is not": {"serviceAccountName: drydock-gateway", "serviceAccount_name: drydock-gateway"},
		"a field of a wrong type":   {"maxReplicas: 10", "maxReplicas: many"},
		"a key that is there twice": {"maxReplicas: 10", "maxReplicas: 10\n  maxReplicas: 10"},
	} {
		broken := strings.Replace(string(rendered["deploy"]), change[0], change[1], 1)
		if broken == string(rendered["deploy"]) {
			t.Errorf("%s: there is no %s any more", reason, change[0])
		}
		if _, err := conform(t, schemas, []byte(broken)); err == nil {
			t.Errorf("%s was found to be right", reason)
		}
	}
}

// conform runs kubeconform. Only the kinds of others' CRDs have no schema here.
func conform(t *testing.T, schemas string, manifest []byte) (report []byte, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	write(t, file, string(manifest))
	return tool("kubeconform", "-strict", "-summary", "-skip", "monitoring.coreos.com/v1/ServiceMonitor",
		"-schema-location", schemas+"/{{.Group}}-{{.ResourceAPIVersion}}-{{.ResourceKind}}.json", file)
}

// schemaFile is a kind's file, as kubeconform's template makes its name: the core group is called by its version.
func schemaFile(group, version, kind string) string {
	if group == "" {
		group = version
	}
	return group + "-" + version + "-" + strings.ToLower(kind) + ".json"
}

// groupVersion is a path of the API server's list of OpenAPI documents that has kinds.
var groupVersion = regexp.MustCompile(`^(api/v1|apis/[^/]+/[^/]+)$`)

// writeSchemas makes JSON schemas of the API server's OpenAPI documents, of some kinds.
// https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
func writeSchemas(t *testing.T, dir string, kinds map[string]bool) {
	t.Helper()
	kube, err := house.Kubernetes()
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	read(t, kube, "/openapi/v3", &index)
	for path, at := range index.Paths {
		if !groupVersion.MatchString(path) {
			continue
		}
		var document struct {
			Components struct{ Schemas map[string]map[string]any }
		}
		read(t, kube, at.ServerRelativeURL, &document)
		for name, schema := range document.Components.Schemas {
			list, _ := schema["x-kubernetes-group-version-kind"].([]any)
			for _, one := range list {
				gvk := one.(map[string]any)
				file := schemaFile(gvk["group"].(string), gvk["version"].(string), gvk["kind"].(string))
				if !kinds[file] {
					continue
				}
				text, err := json.Marshal(strict(map[string]any{"$ref": "#/components/schemas/" + name, "definitions": document.Components.Schemas}))
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, file), strings.ReplaceAll(string(text), "#/components/schemas/", "#/definitions/"))
			}
		}
	}
}

// strict makes of OpenAPI's schemas such that allow no field beyond those that they name.
func strict(node any) any {
	switch node := node.(type) {
	case map[string]map[string]any:
		changed := map[string]any{}
		for name, schema := range node {
			changed[name] = strict(schema)
		}
		return changed
	case map[string]any:
		changed := map[string]any{}
		for key, value := range node {
			changed[key] = strict(value)
		}
		_, fields := node["properties"].(map[string]any)
		_, more := node["additionalProperties"]
		if fields && !more && node["type"] == "object" && node["x-kubernetes-preserve-unknown-fields"] != true {
			changed["additionalProperties"] = false
		}
		return changed
	case []any:
		changed := make([]any, len(node))
		for i, value := range node {
			changed[i] = strict(value)
		}
		return changed
	}
	return node
}

func read(t *testing.T, kube *stack.Kubernetes, path string, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := kube.List(ctx, path, into); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
