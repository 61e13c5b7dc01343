package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/settings"
)

// exitDrift is the exit code of a reconciliation that found what it did not repair.
const exitDrift = 3

// manyAccounts is from how many accounts on their customers are read by the hundred,
// behind the comparison: Search gives one at a time.
const manyAccounts = 100

// reconciliation is what `drydock reconcile` is told.
type reconciliation struct {
	kubeconfig string
	stripe     settings.StripeAccess
	share      int
	since      time.Duration
	apply      bool
	decide     string
	decision   *decision // what decide says
}

// decision is one by hand, about the unsure builds of an account's minute.
type decision struct {
	login   string
	minute  time.Time
	counted bool
}

// settings binds every setting to its flag, its environment variable and its help.
func (r *reconciliation) settings(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&r.kubeconfig, "kubeconfig", "", "")
	set.DurationVar(&r.since, "since", 48*time.Hour, "")
	set.BoolVar(&r.apply, "apply", false, "")
	set.IntVar(&r.share, "share", 10, "")
	set.StringVar(&r.decide, "decide", "", "")
	return append(r.stripe.Bind(set), []settings.Setting{
		{Flag: "kubeconfig", Env: "KUBECONFIG", Help: "kubeconfig file; default: the pod's service account"},
		{Flag: "since", Env: "DRYDOCK_RECONCILE_SINCE", Help: "how far back builds are compared, at most 840h"},
		{Flag: "apply", Env: "DRYDOCK_RECONCILE_APPLY", Help: "report what is missing on the meter; without it nothing is changed"},
		{Flag: "share", Env: "DRYDOCK_RECONCILE_SHARE", Help: "takes one part in so many of Stripe's rate limits, on top of what the gateways and the controller take"},
		{Flag: "decide", Env: "DRYDOCK_RECONCILE_DECIDE", Help: "first decides about the unsure builds of a minute where no set of builds explains the meter, such as ada@2024-05-15T12:07:00Z=counted, or =missing, which reports them"},
	}...)
}

func (r *reconciliation) validate() error {
	if r.since < time.Hour || r.since > 35*24*time.Hour {
		return settings.Wrong("since", "is not between 1h and 840h, the 35 days that Stripe takes events of: %s", r.since)
	}
	if r.share < 1 {
		return settings.Wrong("share", "is less than 1: %d", r.share)
	}
	if r.decide != "" {
		if r.decision = readDecision(r.decide); r.decision == nil {
			return settings.Wrong("decide", "is not login@minute=counted or =missing, such as ada@2024-05-15T12:07:00Z=counted: %q", r.decide)
		}
	}
	return r.stripe.Validate()
}

// readDecision is nil for what is none.
func readDecision(text string) *decision {
	login, rest, _ := strings.Cut(text, "@")
	at, what, _ := strings.Cut(rest, "=")
	minute, err := time.Parse(time.RFC3339, at)
	if login == "" || err != nil || !minute.Equal(minute.Truncate(time.Minute)) || what != "counted" && what != "missing" {
		return nil
	}
	return &decision{login, minute, what == "counted"}
}

// reconcile compares the meter with what builds say, and prints where they differ. The
// exit code is 0 where they do not (or all was repaired), 3 where they do, 1 where a
// side could not be read, 2 for a wrong setting.
func reconcile(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	r := &reconciliation{}
	err := settings.Read(settings.Program{
		Name:  "drydock reconcile",
		About: "Compares the seconds on Stripe's meter with what builds say; with --apply it reports what is missing.",
		Bind:  r.settings, Validate: r.validate,
	}, args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "drydock reconcile:", err)
		return 2
	}
	report, err := r.run(ctx, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo})))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "drydock reconcile:", err)
		return 1
	}
	return tell(stdout, stderr, report)
}

func (r *reconciliation) run(ctx context.Context, log *slog.Logger) (*metering.Report, error) {
	stripe, err := billing.New(billing.Options{Key: r.stripe.Key, APIBase: r.stripe.APIBase, Limits: billing.Limits(r.stripe.Rates), Log: log})
	if err != nil {
		return nil, err
	}
	defer stripe.Close()
	stripe.Share(r.share)
	ctx, end := context.WithCancel(ctx)
	var filling sync.WaitGroup
	defer filling.Wait()
	defer end()
	books, err := controller.NewBooks(controller.BooksOptions{Kubeconfig: r.kubeconfig, Meter: stripe, Log: log, Expect: func(accounts int) {
		if accounts >= manyAccounts {
			filling.Go(func() { _ = stripe.Start(ctx) }) // what it does not find, Search does
		}
	}})
	if err != nil {
		return nil, err
	}
	if d := r.decision; d != nil {
		builds, err := books.Settle(ctx, d.login, d.minute, d.counted)
		if err != nil {
			return nil, err
		}
		log.Info("builds were decided about by hand", "account", d.login, "minute", d.minute, "builds", builds, "counted", d.counted)
	}
	return books.Reconcile(ctx, time.Now().Add(-r.since), r.apply)
}

// tell prints a report and gives the exit code.
func tell(stdout, stderr io.Writer, report *metering.Report) int {
	_, _ = fmt.Fprintf(stdout, "%d builds of %d accounts, %d seconds, from %s to %s: %d seconds are missing on the meter, %d are too many\n",
		report.Builds, report.Accounts, report.Seconds, report.From.Format(time.RFC3339), report.To.Format(time.RFC3339), report.Missing(), report.Surplus())
	exit := 0
	if len(report.Drifts) > 0 {
		table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ACCOUNT\tFROM\tTO\tBILLED\tUNSURE\tMETERED\tMISSING\tSURPLUS\tREMEDY")
		for _, d := range report.Drifts {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", d.Login, d.Start.Format(time.RFC3339), d.End.Format(time.RFC3339),
				d.Billed, d.Unsure, d.Metered, d.Missing(), d.Surplus(), remedy(d))
			if !d.Repaired {
				exit = exitDrift
			}
		}
		_ = table.Flush() // stdout may be gone
	}
	for _, login := range slices.Sorted(maps.Keys(report.Unread)) {
		_, _ = fmt.Fprintf(stderr, "drydock reconcile: the meter of %s could not be read: %v\n", login, report.Unread[login])
		exit = 1
	}
	return exit
}

// remedy says what was done about a drift, or what there is to do.
func remedy(d metering.Drift) string {
	switch {
	case d.Repaired:
		return fmt.Sprintf("reported %d builds", len(d.Repair))
	case d.Undecided:
		return fmt.Sprintf("%s: --decide %s@%s=counted or =missing", d.Why, d.Login, d.Start.Format(time.RFC3339))
	case d.Why != "":
		return d.Why
	default:
		return fmt.Sprintf("--apply reports %d builds", len(d.Repair))
	}
}
