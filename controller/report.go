package controller

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/metering"
)

// AnnotationToldTime is on a Build: when billing was told of it last where that was
// after the time in which it may be repeated (RFC 3339). It is written before billing
// is told, so that nobody decides while that report may not show yet.
const AnnotationToldTime = "drydock.dev/told-time"

// reporter tells billing of single builds, and writes down that it did.
type reporter struct {
	deps
	billing Meter
}

// report tells billing of an ended build.
func (r reporter) report(ctx context.Context, build *v1alpha1.Build) error {
	seconds := Seconds(build)
	if seconds == 0 {
		return r.billed(ctx, build, 0)
	}
	err := r.billing.ReportUsage(ctx, usageReport(build))
	r.metrics.reported(err)
	switch kind := fault.KindOf(err); {
	case err == nil:
		return r.billed(ctx, build, seconds)
	case kind == fault.BadUserInput:
		r.log.Error("a build's seconds are lost: billing takes them no more", "namespace", build.Namespace, "build", build.Name,
			"account", build.Spec.Account, "seconds", seconds, "error", err)
		return r.billed(ctx, build, 0)
	default:
		return err
	}
}

// act does what was decided of builds; live are theirs, by UID. A build is marked
// before it is reported, so that nobody decides until the report shows.
func (r reporter) act(ctx context.Context, decision metering.Decision, live map[string]*v1alpha1.Build) error {
	for _, build := range decision.Counted {
		if err := r.billed(ctx, live[build.UID], build.Seconds); err != nil {
			return err
		}
	}
	for _, build := range decision.Missing {
		if err := markTold(ctx, r, live[build.UID], r.now()); err != nil {
			return err
		}
		if err := r.report(ctx, live[build.UID]); err != nil {
			return err
		}
	}
	return nil
}

// abandon lets a build go whose account billing does not know.
func (r reporter) abandon(ctx context.Context, build *v1alpha1.Build) error {
	r.log.Error("a build's account is unknown to billing: nobody pays", "namespace", build.Namespace, "build", build.Name,
		"account", build.Spec.Account, "seconds", Seconds(build))
	return r.billed(ctx, build, 0)
}

// billed writes what billing was told of a build.
func (r reporter) billed(ctx context.Context, build *v1alpha1.Build, seconds int64) error {
	build.Status.Billing = &v1alpha1.BuildBilling{Seconds: seconds, ReportTime: metav1.NewTime(r.now())}
	return r.Status().Update(ctx, build)
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=patch

// markTold writes that billing is about to be told of a build, unless the build
// changed since it was read.
func markTold(ctx context.Context, kube client.Client, build *v1alpha1.Build, now time.Time) error {
	before := build.DeepCopy()
	metav1.SetMetaDataAnnotation(&build.ObjectMeta, AnnotationToldTime, now.UTC().Format(time.RFC3339))
	return kube.Patch(ctx, build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

func usageReport(build *v1alpha1.Build) model.UsageReport {
	return model.UsageReport{
		Login:      build.Spec.Account,
		CustomerID: build.Spec.Customer,
		BuildUID:   string(build.UID),
		Seconds:    Seconds(build),
		FinishedAt: build.Status.CompletionTime.Time,
	}
}

// accountsOf gathers the builds that ended and have seconds, by account: live ones,
// and those of the ledger. One that is in both counts once.
func accountsOf(live []v1alpha1.Build, entered map[string][]metering.Build) map[string][]metering.Build {
	accounts, seen := map[string][]metering.Build{}, map[string]bool{}
	for i := range live {
		if build, ended := entryOf(&live[i]); ended && build.Seconds > 0 {
			accounts[live[i].Spec.Account] = append(accounts[live[i].Spec.Account], build)
			seen[build.UID] = true
		}
	}
	for login, builds := range entered {
		for _, build := range builds {
			if !seen[build.UID] {
				accounts[login] = append(accounts[login], build)
				seen[build.UID] = true
			}
		}
	}
	return accounts
}

// entryOf is a Build as its status tells of it; false where it has not ended.
func entryOf(build *v1alpha1.Build) (entry metering.Build, ended bool) {
	if !build.Status.Phase.Done() || build.Status.CompletionTime == nil {
		return entry, false
	}
	entry = metering.Build{UID: string(build.UID), Finished: build.Status.CompletionTime.UTC(), Seconds: Seconds(build), CustomerID: build.Spec.Customer}
	if told, err := time.Parse(time.RFC3339, build.Annotations[AnnotationToldTime]); err == nil {
		entry.Told = told.UTC()
	}
	if billed := build.Status.Billing; billed != nil {
		entry.Billed, entry.Seconds = true, billed.Seconds
		if billed.ReportTime.After(entry.Told) {
			entry.Told = billed.ReportTime.UTC()
		}
	}
	return entry, true
}
