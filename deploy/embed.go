// Package deploy holds what an installation applies to its cluster: the custom
// resource definitions, the build strategies, RBAC and the two Deployments.
package deploy

import "embed"

// Files are crds/*.yaml (generated from api/v1alpha1) and strategies/*.yaml.
//
//go:embed crds/*.yaml strategies/*.yaml
var Files embed.FS

//go:generate sh -c "cd strategies && go run ./inline"
