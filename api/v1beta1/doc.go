// Package v1beta1 is the second version of Drydock's custom resources. It says some things
// of package v1alpha1 in another way, and all the rest by that package's own types:
//
//	v1alpha1                          v1beta1
//	spec.destination, spec.tags       spec.output.repository, spec.output.tags
//	spec.buildArgs: [{key, value}]    spec.args: {key: value}
//	spec.timeoutSeconds: 600          spec.timeout: 10m        (Image)
//
// Package conversion converts between the two.
//
// +kubebuilder:object:generate=true
// +groupName=drydock.dev
package v1beta1
