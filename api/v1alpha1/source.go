package v1alpha1

// GitSource is where a build's files come from.
type GitSource struct {
	// Repository is the clone URL: https, http, ssh or git, or the scp form
	// git@host:path. It carries no password.
	//
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^((https?|ssh|git)://([A-Za-z0-9._~-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/[A-Za-z0-9._~/%+-]+|git@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/+][A-Za-z0-9._~/+-]*)$`
	Repository string `json:"repository"`

	// Ref is a branch, a tag or a commit.
	//
	// +kubebuilder:default=main
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_][A-Za-z0-9._/+-]*$`
	// +kubebuilder:validation:XValidation:rule="!self.contains('..') && !self.contains('//') && !self.endsWith('/') && !self.endsWith('.') && !self.endsWith('.lock')",message="must be a legal git ref: see git-check-ref-format"
	Ref string `json:"ref,omitempty"`

	// Context is the folder handed to the build, relative to the repository's root.
	//
	// +kubebuilder:default="."
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._][A-Za-z0-9._/+@-]*$`
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(p, p == '..')",message="must stay inside the repository: no '..'"
	Context string `json:"context,omitempty"`

	// Dockerfile is the build file, relative to the context.
	//
	// +kubebuilder:default=Dockerfile
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._][A-Za-z0-9._/+@-]*$`
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(p, p == '..')",message="must stay inside the context: no '..'"
	Dockerfile string `json:"dockerfile,omitempty"`
}

// BuildArg is one build argument: ARG in the Dockerfile.
type BuildArg struct {
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Key string `json:"key"`

	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:Pattern=`^[^\x00]*$`
	// +kubebuilder:validation:XValidation:rule="bytes(self).size() <= 4096",message="must have at most 4096 bytes"
	Value string `json:"value"`
}

// Recipe is what an Image says and a Build repeats: source in, image out.
type Recipe struct {
	Source GitSource `json:"source"`

	// Destination is the registry and path to push to: host[:port]/path.
	//
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^((localhost|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+)(:[0-9]{1,5})?|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5})(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$`
	Destination string `json:"destination"`

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

	// BuildArgs are passed to the build, by key.
	//
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=key
	BuildArgs []BuildArg `json:"buildArgs,omitempty"`

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

// Cached tells whether the build's layers are kept for the next one.
func (r *Recipe) Cached() bool { return r.Cache == nil || *r.Cache }
