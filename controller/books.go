package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/transport"
)

// forgets is how long after a report Stripe has forgotten its identifier, with a
// margin: a repair before that would be refused as a duplicate.
const forgets = 25 * time.Hour

// Meter is what Books needs of billing.
type Meter interface {
	ReportUsage(ctx context.Context, report model.UsageReport) error
	OwnerOf(ctx context.Context, login string) (model.Owner, error)
	Metered(ctx context.Context, payer model.Owner, from, to time.Time) (int64, error)
	MeteredHours(ctx context.Context, payer model.Owner, from, to time.Time) (map[time.Time]int64, error)
}

// Books compares the meter with what Builds and the ledger say.
type Books struct {
	reporter
	ledger ledger
	expect func(accounts int)
}

// BooksOptions say whose books are opened.
type BooksOptions struct {
	// Kubeconfig is a file's path; the pod's service account where empty.
	Kubeconfig string
	Meter      Meter
	Log        *slog.Logger
	// Expect is told how many accounts the meter will be asked for; may be nil.
	Expect func(accounts int)
	// Now is the clock; time.Now where nil.
	Now func() time.Time
}

// NewBooks opens the books of an installation.
func NewBooks(opts BooksOptions) (*Books, error) {
	config, err := clientcmd.BuildConfigFromFlags("", opts.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.QPS = -1
	objects := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(objects), v1alpha1.AddToScheme(objects)); err != nil {
		return nil, err
	}
	kube, err := client.New(config, client.Options{Scheme: objects})
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	now := opts.Now
	if now == nil {
		now = time.Now
	}
	d := deps{Client: kube, live: kube, now: now, log: opts.Log, metrics: newMetrics(nil)}
	return &Books{reporter{d, opts.Meter}, ledger{kube, opts.Log}, opts.Expect}, nil
}

// Reconcile compares both sides of the builds that ended since a time, by the hour,
// and where they differ by the minute. What ended in the past hour is left out: the
// meter may not show it yet. With apply it reports what is missing, where it is clear
// what that is. An account whose meter cannot be read is told in the report; one that
// billing does not know is left out.
//
// Stripe: one request per account that built and hundred hours; in an hour that
// differs, one for each minute in which a build ended.
func (b *Books) Reconcile(ctx context.Context, since time.Time, apply bool) (*metering.Report, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	report := &metering.Report{
		From: since.UTC().Truncate(time.Hour), To: b.now().UTC().Add(-metering.Settles).Truncate(time.Hour), Unread: map[string]error{},
	}
	live, accounts, err := b.read(ctx, report.From, report.To)
	if err != nil {
		return nil, err
	}
	if b.expect != nil {
		b.expect(len(accounts))
	}
	for _, login := range slices.Sorted(maps.Keys(accounts)) {
		payers, err := b.payers(ctx, login, accounts[login])
		if err != nil {
			report.Count(accounts[login])
			report.Unread[login] = err
			continue
		}
		for _, payer := range byCustomer(payers) {
			b.account(ctx, report, payer, payers[payer], func(drift *metering.Drift) {
				if !apply || len(drift.Repair) == 0 {
					return
				}
				if err := b.repair(ctx, drift, live); err != nil {
					drift.Why = err.Error()
				}
			})
		}
	}
	return report, nil
}

// account adds to the report what is found of one payer's builds.
func (b *Books) account(ctx context.Context, report *metering.Report, payer model.Owner, builds []metering.Build, repair func(*metering.Drift)) {
	drifts, err := b.compare(ctx, payer, builds, report.From, report.To)
	if fault.KindOf(err) == fault.NotFound {
		b.log.Warn("builds of an account that billing does not know are not compared", "account", payer.Login, "customer", payer.CustomerID, "builds", len(builds))
		return
	}
	report.Count(builds)
	if err != nil {
		report.Unread[payer.Login] = err
		return
	}
	for i := range drifts {
		repair(&drifts[i])
	}
	report.Drifts = append(report.Drifts, drifts...)
}

// read gives every build that ended in [from, to) and has seconds, by account: those
// that are there, then those of the ledger, so that one that goes meanwhile is in either.
// live are the Builds by UID.
func (b *Books) read(ctx context.Context, from, to time.Time) (live map[string]*v1alpha1.Build, accounts map[string][]metering.Build, err error) {
	var all []v1alpha1.Build
	for next := ""; ; {
		var list v1alpha1.BuildList
		if err := b.live.List(ctx, &list, client.Limit(500), client.Continue(next)); err != nil {
			return nil, nil, err
		}
		all = append(all, slices.DeleteFunc(list.Items, func(build v1alpha1.Build) bool {
			end := build.Status.CompletionTime
			return end == nil || end.Time.Before(from) || !end.Time.Before(to)
		})...)
		if next = list.Continue; next == "" {
			break
		}
	}
	entered, err := b.ledger.read(ctx, from, to)
	if err != nil {
		return nil, nil, err
	}
	live = make(map[string]*v1alpha1.Build, len(all))
	for i := range all {
		live[string(all[i].UID)] = &all[i]
	}
	accounts = accountsOf(all, entered)
	for login, builds := range accounts {
		if accounts[login] = metering.Within(builds, from, to); len(accounts[login]) == 0 {
			delete(accounts, login) // the ledger's days are longer
		}
	}
	return live, accounts, nil
}

// compare finds a payer's drifts.
func (b *Books) compare(ctx context.Context, payer model.Owner, builds []metering.Build, from, to time.Time) ([]metering.Drift, error) {
	hours, err := b.billing.MeteredHours(ctx, payer, from, to)
	if err != nil {
		return nil, err
	}
	var found []metering.Drift
	for _, hour := range metering.Compare(payer.Login, builds, hours, time.Hour) {
		within := metering.Within(builds, hour.Start, hour.End)
		if b.fresh(within) {
			continue
		}
		minutes, err := b.narrow(ctx, payer, hour, within)
		if err != nil {
			return nil, err
		}
		found = append(found, minutes...)
	}
	return found, nil
}

// fresh tells whether the meter was told of one of the builds so lately that it may
// not show yet.
func (b *Books) fresh(builds []metering.Build) bool {
	return slices.ContainsFunc(builds, func(build metering.Build) bool {
		return b.now().Before(build.Told.Add(metering.Settles))
	})
}

// narrow finds the minutes of an hour that drift, and what the meter holds of minutes
// in which no build ended.
func (b *Books) narrow(ctx context.Context, payer model.Owner, hour metering.Drift, builds []metering.Build) ([]metering.Drift, error) {
	minutes, rest := map[time.Time]int64{}, hour.Metered
	for _, build := range builds {
		minute := build.Finished.Truncate(time.Minute)
		if _, known := minutes[minute]; known {
			continue
		}
		metered, err := b.billing.Metered(ctx, payer, minute, minute.Add(time.Minute))
		if err != nil {
			return nil, err
		}
		minutes[minute] = metered
		rest -= metered
	}
	var found []metering.Drift
	for _, minute := range metering.Compare(hour.Login, builds, minutes, time.Minute) {
		minute.CustomerID = payer.CustomerID
		if b.explain(&minute, metering.Within(builds, minute.Start, minute.End)) {
			found = append(found, minute)
		}
	}
	if rest > 0 {
		found = append(found, metering.Drift{
			Login: payer.Login, CustomerID: payer.CustomerID, Start: hour.Start, End: hour.End, Metered: rest, Why: "no build ended in the minutes of these events",
		})
	}
	return found, nil
}

// explain says what to do about a minute; it is false for one where the controller will
// decide which of its unsure builds were counted, and that is no drift.
func (b *Books) explain(drift *metering.Drift, builds []metering.Build) bool {
	settled := !b.now().Before(metering.Settled(builds))
	if drift.Missing() == 0 && drift.Surplus() == 0 {
		_, err := metering.Decide(drift.Metered, builds)
		if err == nil || !settled {
			return false
		}
		drift.Undecided, drift.Why = true, err.Error()
		return true
	}
	if drift.Missing() == 0 {
		drift.Why = "too much cannot be taken back by itself: look at the account's meter events"
		return true
	}
	if !settled {
		drift.Why = "a build of the minute is not metered yet"
		return true
	}
	missing, err := metering.Repair(drift.Metered, builds)
	if err != nil {
		drift.Undecided, drift.Why = drift.Unsure > 0, err.Error()
		return true
	}
	for _, build := range missing {
		if b.now().Before(build.Told.Add(forgets)) {
			drift.Why = "it was reported within a day: Stripe would refuse it as a duplicate"
			return true
		}
	}
	drift.Repair = missing
	return true
}

// repair reports a minute's missing builds. Each is marked first, so that nobody
// decides about the minute until the report shows.
func (b *Books) repair(ctx context.Context, drift *metering.Drift, live map[string]*v1alpha1.Build) error {
	for _, build := range drift.Repair {
		var err error
		if object := live[build.UID]; object != nil {
			err = markTold(ctx, b, object, b.now())
		} else {
			err = b.ledger.mark(ctx, v1alpha1.Namespace(drift.Login), build, b.now())
		}
		if err != nil {
			return fmt.Errorf("mark build %s: %w", build.UID, err)
		}
	}
	for _, build := range drift.Repair {
		err := b.billing.ReportUsage(ctx, model.UsageReport{
			Login: drift.Login, CustomerID: drift.CustomerID, BuildUID: build.UID, Seconds: build.Seconds, FinishedAt: build.Finished,
		})
		if err != nil {
			return fmt.Errorf("report build %s: %w", build.UID, err)
		}
		b.log.Info("a missing build was reported", "account", drift.Login, "build", build.UID, "seconds", build.Seconds, "finished", build.Finished)
	}
	drift.Repaired = true
	return nil
}
