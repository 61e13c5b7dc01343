package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of Drydock's resources.
var GroupVersion = schema.GroupVersion{Group: "drydock.dev", Version: "v1alpha1"}

// AddToScheme adds the types of this package to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Image{}, &ImageList{}, &Build{}, &BuildList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
