// Package v1alpha1 holds Drydock's custom resources: Image, what to build and
// where to push it, and Build, one run of it. The CRDs in deploy/crds and the
// deep copies are generated from these types (make generate).
//
// +kubebuilder:object:generate=true
// +groupName=drydock.dev
package v1alpha1
