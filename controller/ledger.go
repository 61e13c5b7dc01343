package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/metering"
)

const (
	// LabelLedger marks a ConfigMap of the ledger; its value is the UTC day on which its
	// builds ended, YYYY-MM-DD.
	LabelLedger = "drydock.dev/ledger"
	// ledgerPage is how many builds a ConfigMap of the ledger takes: about half of the
	// mebibyte that Kubernetes allows.
	ledgerPage = 5000
	ledgerDay  = 24 * time.Hour
)

// ledger remembers the billed seconds of builds that were deleted: in ConfigMaps of
// the account's namespace, by the day of their end. A key is a Build's UID, so that a
// build is in it once.
type ledger struct {
	client.Client // reads ConfigMaps from the API server, not from a cache
	log           *slog.Logger
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=get;create

// enter writes a billed build down. Entered again, it changes nothing.
func (l ledger) enter(ctx context.Context, build *v1alpha1.Build) error {
	if build.Status.Billing == nil || build.Status.Billing.Seconds == 0 || build.Status.CompletionTime == nil {
		return nil
	}
	day := build.Status.CompletionTime.UTC().Format(time.DateOnly)
	line := formatLine(build.Status.CompletionTime.Time, build.Status.Billing.Seconds, build.Status.Billing.ReportTime.Time, build.Spec.Customer)
	for page := 0; ; page++ {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: build.Namespace, Name: fmt.Sprintf("drydock-ledger-%s-%d", day, page)}}
		err := l.Get(ctx, keyOf(object), object)
		if apierrors.IsNotFound(err) {
			object.Labels = map[string]string{LabelLedger: day, v1alpha1.LabelAccount: v1alpha1.AccountLabel(build.Spec.Account)}
			object.Annotations = map[string]string{v1alpha1.AnnotationLogin: build.Spec.Account}
			object.Data = map[string]string{string(build.UID): line}
			err = l.Create(ctx, object)
			if apierrors.IsAlreadyExists(err) { // another worker was quicker
				page--
				continue
			}
			if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
				l.log.Warn("a billed build goes with its namespace: its seconds will look like too many on the meter", "namespace", build.Namespace, "build", build.Name)
				return nil
			}
			return err
		}
		if err != nil {
			return err
		}
		if _, entered := object.Data[string(build.UID)]; entered {
			return nil
		}
		if len(object.Data) < ledgerPage {
			return l.put(ctx, object, string(build.UID), line)
		}
	}
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=patch

// put writes one line, beside whoever else writes others.
func (l ledger) put(ctx context.Context, object *corev1.ConfigMap, uid, line string) error {
	patch, err := json.Marshal(map[string]any{"data": map[string]string{uid: line}})
	if err != nil {
		return err
	}
	return l.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=list

// read gives the builds of the days that [from, to) touches, by account.
func (l ledger) read(ctx context.Context, from, to time.Time, where ...client.ListOption) (map[string][]metering.Build, error) {
	found := map[string][]metering.Build{}
	for next := ""; ; {
		var list corev1.ConfigMapList
		options := append([]client.ListOption{pagesOf(selection.In, from, to), client.Limit(50), client.Continue(next)}, where...)
		if err := l.List(ctx, &list, options...); err != nil {
			return nil, err
		}
		for i := range list.Items {
			object := &list.Items[i]
			login := object.Annotations[v1alpha1.AnnotationLogin]
			for uid, line := range object.Data {
				build, err := parseLine(uid, line)
				if err != nil {
					l.log.Error("a line of the ledger cannot be read", "namespace", object.Namespace, "configMap", object.Name, "build", uid, "error", err)
					continue
				}
				found[login] = append(found[login], build)
			}
		}
		if next = list.Continue; next == "" {
			return found, nil
		}
	}
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=update

// mark writes that the meter is about to be told of a build again, unless its page
// changed meanwhile.
func (l ledger) mark(ctx context.Context, namespace string, build metering.Build, now time.Time) error {
	var list corev1.ConfigMapList
	day := build.Finished.UTC().Format(time.DateOnly)
	if err := l.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{LabelLedger: day}); err != nil {
		return err
	}
	for i := range list.Items {
		if page := &list.Items[i]; page.Data[build.UID] != "" {
			page.Data[build.UID] = formatLine(build.Finished, build.Seconds, now, build.CustomerID)
			return l.Update(ctx, page)
		}
	}
	return fmt.Errorf("build %s is not in the ledger of %s any more", build.UID, day)
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=delete

// expire removes the days before the one of keep; now bounds those that there can be.
func (l ledger) expire(ctx context.Context, keep, now time.Time) error {
	keep = keep.UTC().Truncate(ledgerDay)
	for next := ""; ; {
		var list metav1.PartialObjectMetadataList
		list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
		old := pagesOf(selection.NotIn, keep, now.Add(2*ledgerDay)) // a node's clock may be ahead
		if err := l.List(ctx, &list, old, client.Limit(500), client.Continue(next)); err != nil {
			return err
		}
		for i := range list.Items {
			day, err := time.Parse(time.DateOnly, list.Items[i].Labels[LabelLedger])
			if err != nil || !day.Before(keep) {
				continue
			}
			if err := client.IgnoreNotFound(l.Delete(ctx, &list.Items[i])); err != nil {
				return err
			}
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

// pagesOf selects the ledger's pages of the days that [from, to) touches, or all others.
func pagesOf(which selection.Operator, from, to time.Time) client.ListOption {
	var days []string
	for day := from.UTC().Truncate(ledgerDay); day.Before(to); day = day.Add(ledgerDay) {
		days = append(days, day.Format(time.DateOnly))
	}
	selector := labels.NewSelector()
	for operator, values := range map[selection.Operator][]string{selection.Exists: nil, which: days} {
		requirement, err := labels.NewRequirement(LabelLedger, operator, values)
		if err != nil {
			panic(err) // days are good values
		}
		selector = selector.Add(*requirement)
	}
	return client.MatchingLabelsSelector{Selector: selector}
}

// formatLine is a line of the ledger: a build's end, its seconds, when the meter was told
// of it last, and the customer who pays, where the build tells it.
func formatLine(finished time.Time, seconds int64, told time.Time, customer string) string {
	line := fmt.Sprintf("%s %d %s %s", finished.UTC().Format(time.RFC3339), seconds, told.UTC().Format(time.RFC3339), customer)
	return strings.TrimSpace(line)
}

func parseLine(uid, line string) (metering.Build, error) {
	words := strings.Fields(line)
	if len(words) != 3 && len(words) != 4 {
		return metering.Build{}, fmt.Errorf("it has %d words, not 3 or 4", len(words))
	}
	finished, err := time.Parse(time.RFC3339, words[0])
	if err != nil {
		return metering.Build{}, err
	}
	seconds, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return metering.Build{}, err
	}
	told, err := time.Parse(time.RFC3339, words[2])
	customer := strings.Join(words[3:], "")
	return metering.Build{UID: uid, Finished: finished.UTC(), Seconds: seconds, Billed: true, Told: told.UTC(), CustomerID: customer}, err
}
