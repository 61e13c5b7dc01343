package cluster

import (
	"cmp"
	"reflect"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/launch"
)

// The groups of the stores.
const (
	byAccount = 0 // by namespace
	byImage   = 1 // builds alone: by namespace and image UID
)

// build is a stored build: what the vocabulary says of it, and where its log is.
type build struct {
	*model.Build
	log *v1alpha1.BuildLog
	// cancelling: somebody asked to end it.
	cancelling bool
}

func imageKind(loose *loose) kind[*model.Image] {
	return kind[*model.Image]{
		resource:  "images",
		prototype: &v1alpha1.Image{},
		convert: func(o runtime.Object) (*model.Image, bool) {
			image := imageOf(o.(*v1alpha1.Image))
			loose.note(looseAt{image.Key.Login, image.Key.Name}, o.(*v1alpha1.Image))
			return image, image.Key.Login != ""
		},
		compare: func(a, b *model.Image) int { return strings.Compare(a.Key.Name, b.Key.Name) },
		groups: []func(string, *model.Image) string{
			func(namespace string, _ *model.Image) string { return namespace },
		},
	}
}

func buildKind(billed func(login string)) kind[*build] {
	return kind[*build]{
		resource:  "builds",
		prototype: &v1alpha1.Build{},
		convert: func(o runtime.Object) (*build, bool) {
			b := buildOf(o.(*v1alpha1.Build))
			return b, b.Key.Login != ""
		},
		compare: func(a, b *build) int { return buildPlace(a).compare(buildPlace(b)) },
		groups: []func(string, *build) string{
			func(namespace string, _ *build) string { return namespace },
			func(namespace string, b *build) string { return imageGroup(namespace, b.ImageUID) },
		},
		same: func(a, b *build) bool {
			before, after := *a.Build, *b.Build
			before.Version, after.Version = "", ""
			return reflect.DeepEqual(before, after)
		},
		changed: func(before, after *build) {
			if billed != nil && after.BilledSeconds != nil && (before == nil || before.BilledSeconds == nil) {
				billed(after.Key.Login)
			}
		},
	}
}

func imageGroup(namespace, uid string) string { return namespace + "/" + uid }

// imageOf says an Image in our words. Its login is empty where the namespace is not
// that of an account, or the login cannot be told.
func imageOf(o *v1alpha1.Image) *model.Image {
	source := model.GitSource(o.Spec.Source) // a copy: a pointer would keep all of the object alive
	image := &model.Image{
		Key:          model.Key{Login: v1alpha1.LoginOf(o.Namespace, o.Annotations[v1alpha1.AnnotationLogin]), Name: o.Name},
		UID:          string(o.UID),
		Source:       &source,
		Destination:  o.Spec.Destination,
		Tags:         o.Spec.Tags,
		BuildArgs:    []*model.KeyValue{},
		BuildSecrets: []*model.BuildSecret{},
		Platforms:    o.Spec.Platforms,
		Cache:        o.Spec.Cached(),
		Suspended:    o.Spec.Suspended,
		Public:       o.Spec.Public,
		CreatedAt:    o.CreationTimestamp.UTC(),
		UpdatedAt:    updateTime(&o.ObjectMeta),
		Version:      o.ResourceVersion,
	}
	image.Triggers = triggersOf(o)
	for _, arg := range o.Spec.BuildArgs {
		image.BuildArgs = append(image.BuildArgs, &model.KeyValue{Key: arg.Key, Value: arg.Value})
	}
	secrets := v1alpha1.SecretsOf(o)
	if kept, there := secrets.Find(v1alpha1.SecretGit, ""); there {
		image.GitCredential = &model.GitCredential{Kind: model.GitCredentialKind(kept.Kind), Host: kept.Host,
			Username: optional(kept.Username), CreatedAt: kept.Time.UTC()}
	}
	for _, kept := range secrets.Of(v1alpha1.SecretBuild) {
		image.BuildSecrets = append(image.BuildSecrets, &model.BuildSecret{Key: kept.Name, CreatedAt: kept.Time.UTC()})
	}
	if hook := o.Spec.Webhook; hook != nil {
		image.Webhook = &model.ImageWebhook{URL: hook.URL, CreatedAt: hook.SetTime.UTC()}
	}
	if o.Spec.TimeoutSeconds != nil {
		seconds := int(*o.Spec.TimeoutSeconds)
		image.TimeoutSeconds = &seconds
	}
	return image
}

// buildOf says a Build in our words; see imageOf for its login.
func buildOf(o *v1alpha1.Build) *build {
	login := o.Spec.Account
	if v1alpha1.Namespace(login) != o.Namespace {
		login = ""
	}
	b := &model.Build{
		Key:         model.Key{Login: login, Name: o.Name},
		ImageKey:    model.Key{Login: login, Name: o.Spec.Image.Name},
		ImageUID:    o.Spec.Image.UID,
		Number:      int(o.Spec.Number),
		Phase:       model.BuildPhase(strings.ToUpper(string(cmp.Or(o.Status.Phase, v1alpha1.PhaseQueued)))),
		Reason:      optional(o.Status.Reason),
		Message:     optional(o.Status.Message),
		TriggerTime: timeOf(o.Spec.TriggerTime),
		Ref:         o.Spec.Source.Ref,
		TriggeredBy: optional(o.Spec.TriggeredBy),
		Trigger:     launch.Trigger(o.Spec.Trigger),
		Commit:      optional(cmp.Or(o.Status.Commit, o.Spec.Commit)),
		Digest:      optional(o.Status.Digest),
		References:  o.Status.References,
		QueuedAt:    o.CreationTimestamp.UTC(),
		StartedAt:   timeOf(o.Status.StartTime),
		FinishedAt:  timeOf(o.Status.CompletionTime),
		Version:     o.ResourceVersion,
	}
	if o.Status.Billing != nil {
		seconds := int(o.Status.Billing.Seconds)
		b.BilledSeconds = &seconds
	}
	b.WebhookDelivery = deliveryOf(o.Status.Webhook)
	_, cancelling := o.Annotations[v1alpha1.AnnotationCancelRequested]
	return &build{Build: b, log: o.Status.Log, cancelling: cancelling}
}

// updateTime is when somebody last wrote the object itself, not its status.
func updateTime(o *metav1.ObjectMeta) time.Time {
	newest := o.CreationTimestamp.Time
	for _, entry := range o.ManagedFields {
		if entry.Subresource == "" && entry.Time != nil && entry.Time.After(newest) {
			newest = entry.Time.Time
		}
	}
	return newest.UTC()
}

func timeOf(t *metav1.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
