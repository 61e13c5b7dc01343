package controller

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// AnnotationPlatforms on a strategy's PodTemplate lists the platforms that it can
// build for, separated by commas; "host" stands for the controller's own. Without
// the annotation a strategy takes any platform.
const AnnotationPlatforms = "drydock.dev/platforms"

// strategies finds the installation's build strategy.
type strategies struct {
	reader          client.Reader
	namespace, name string
}

// get is the strategy's pod template, or an error with words for people.
func (s strategies) get(ctx context.Context) (*corev1.PodTemplate, error) {
	var list corev1.PodTemplateList
	err := s.reader.List(ctx, &list, client.InNamespace(s.namespace), client.MatchingLabels{v1alpha1.LabelStrategy: s.name})
	if err != nil {
		return nil, fmt.Errorf("the build strategy %q cannot be read: %w", s.name, err)
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("there is no build strategy %q: no PodTemplate in namespace %s has the label %s=%s", s.name, s.namespace, v1alpha1.LabelStrategy, s.name)
	}
	slices.SortFunc(list.Items, func(a, b corev1.PodTemplate) int { return strings.Compare(a.Name, b.Name) })
	return &list.Items[0], nil
}

// unsupported are those of the platforms that a strategy cannot build for.
func unsupported(strategy *corev1.PodTemplate, platforms []string) []string {
	annotation, limited := strategy.Annotations[AnnotationPlatforms]
	if !limited {
		return nil
	}
	known := strings.FieldsFunc(annotation, func(r rune) bool { return r == ',' || r == ' ' })
	for i, platform := range known {
		if platform == "host" {
			known[i] = runtime.GOOS + "/" + runtime.GOARCH
		}
	}
	return slices.DeleteFunc(slices.Clone(platforms), func(p string) bool { return slices.Contains(known, p) })
}
