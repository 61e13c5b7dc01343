// Package deploy holds what an installation applies to its cluster: the namespace,
// the custom resource definitions, RBAC, the build strategies, and the Deployments.
package deploy

import (
	"embed"
	"io/fs"
)

// Files are namespace.yaml, rbac.yaml (generated from markers), admission.yaml, crds/*.yaml (generated from
// api/v1alpha1) and strategies/*.yaml: what a controller and a gateway need wherever they run.
//
//go:embed namespace.yaml rbac.yaml admission.yaml crds/*.yaml strategies/*.yaml
var Files embed.FS

//go:generate sh -c "cd strategies && go run ./inline"

// All gives every manifest of Files, for cluster.Apply.
func All() (manifests [][]byte, err error) {
	return manifests, fs.WalkDir(Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := Files.ReadFile(name)
		manifests = append(manifests, text)
		return err
	})
}
