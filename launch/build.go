package launch

import (
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Name is the name of a Build. What identifies what started it makes it: the same again
// meets the same Build, whichever process starts it (ADR 0006).
func Name(image *v1alpha1.Image, identity string) string {
	return v1alpha1.HashedName(image.Name, identity, 63)
}

// Build is a snapshot of an image as it is now and of a plan's limits. It has no number
// yet: the image's status.lastBuildNumber is to be raised for it. Faults: Conflict for a
// suspended image, LimitExceeded for a plan without builds.
func Build(name string, start model.BuildStart, image *v1alpha1.Image) (*v1alpha1.Build, error) {
	if image.Spec.Suspended {
		return nil, fault.New(fault.Conflict, "The image %s is suspended: update it with suspended: false first.", image.Name)
	}
	limits, err := Limits(start.Plan, image)
	if err != nil {
		return nil, err
	}
	b := &v1alpha1.Build{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: image.Namespace,
			Name:      name,
			Labels: map[string]string{
				v1alpha1.LabelAccount: v1alpha1.AccountLabel(start.Image.Login),
				v1alpha1.LabelImage:   image.Name,
			},
		},
		Spec: v1alpha1.BuildSpec{
			Account:     start.Image.Login,
			Customer:    start.CustomerID,
			Image:       v1alpha1.ImageReference{Name: image.Name, UID: string(image.UID)},
			Trigger:     triggerNamed(start.Trigger),
			TriggeredBy: clip(start.TriggeredBy),
			Commit:      start.Commit,
			Recipe:      *image.Spec.Recipe.DeepCopy(),
			Limits:      limits,
		},
	}
	if !start.TriggerTime.IsZero() {
		b.Spec.TriggerTime = &metav1.Time{Time: start.TriggerTime.UTC()}
	}
	if start.Ref != "" {
		b.Spec.Source.Ref = start.Ref
	}
	return b, nil
}

// clip makes a text from outside one of one line, within the bound of triggeredBy.
func clip(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) <= v1alpha1.MaxTriggeredBy {
		return text
	}
	return string([]rune(text)[:v1alpha1.MaxTriggeredBy-3]) + "..."
}
