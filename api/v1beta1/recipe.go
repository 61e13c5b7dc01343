package v1beta1

import "drydock.dev/drydock/api/v1alpha1"

// Duration is hours, minutes and seconds, in this order, each at most once: 1h30m.
// See https://gateway-api.sigs.k8s.io/geps/gep-2257/
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`
type Duration string

// ArgValue is the value of a build argument.
//
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:Pattern=`^[^\x00]*$`
// +kubebuilder:validation:XValidation:rule="bytes(self).size() <= 4096",message="must have at most 4096 bytes"
type ArgValue string

// Output is what a build pushes.
type Output struct {
	// Repository is the registry and path to push to: host[:port]/path.
	//
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^((localhost|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+)(:[0-9]{1,5})?|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5})(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$`
	Repository string `json:"repository"`

	// Tags to push, each a tag of the OCI distribution specification, or a template of
	// {{.Commit}} {{.ShortCommit}} {{.Branch}} {{.Tag}} {{.Number}} {{.Date}}.
	//
	// +kubebuilder:default={latest}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^([A-Za-z0-9_]|\{\{ ?\.(Commit|ShortCommit|Branch|Tag|Number|Date) ?\}\})([A-Za-z0-9_.-]|\{\{ ?\.(Commit|ShortCommit|Branch|Tag|Number|Date) ?\}\})*$`
	// +kubebuilder:validation:items:XValidation:rule="self.contains('{{') || self.size() <= 128",message="a tag has at most 128 characters"
	// +listType=set
	Tags []string `json:"tags,omitempty"`
}

// Recipe is what an Image says and a Build repeats: source in, image out.
type Recipe struct {
	Source v1alpha1.GitSource `json:"source"`

	Output Output `json:"output"`

	// Args are passed to the build: ARG in the Dockerfile.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=100
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 128 && key.matches('^[A-Za-z_][A-Za-z0-9_]*$'))",message="the name of a build argument is letters, digits and '_', begins with no digit, and has at most 128 characters"
	Args map[string]ArgValue `json:"args,omitempty"`

	// Platforms to build for, e.g. linux/amd64; the strategy's own where empty.
	//
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`
	// +listType=set
	Platforms []string `json:"platforms,omitempty"`

	// Cache keeps the build's layers in the destination's registry and takes them from
	// there, where the strategy can. Absent means true.
	//
	// +optional
	Cache *bool `json:"cache,omitempty"`
}
