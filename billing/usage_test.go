package billing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func at(text string) time.Time {
	parsed, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return parsed
}

// TestUsage reports builds and reads the sums of a period, whole and by the day.
func TestUsage(t *testing.T) {
	type build struct {
		finished string
		seconds  int64
	}
	cases := []struct {
		reason string
		// subscribed is when the Team subscription began; empty: none.
		subscribed string
		builds     []build
		now        string
		period     model.UsagePeriod
		start, end string
		seconds    int
		included   int
		days       int
		// busy are the days with seconds.
		busy map[string]int
	}{
		{
			reason: "without a subscription it is the calendar month",
			builds: []build{{"2024-04-30 23:59:59", 1000}, {"2024-05-01 00:00:00", 1}, {"2024-05-14 10:00:00", 20}, {"2024-05-14 23:59:59", 300}, {"2024-05-15 11:59:00", 4000}},
			now:    "2024-05-15 12:00:00", period: model.UsagePeriodCurrent,
			start: "2024-05-01 00:00:00", end: "2024-06-01 00:00:00", seconds: 4321, included: 100, days: 15,
			busy: map[string]int{"2024-05-01": 1, "2024-05-14": 320, "2024-05-15": 4000},
		},
		{
			reason: "the month before is whole",
			builds: []build{{"2024-04-30 23:59:59", 1000}, {"2024-05-01 00:00:00", 1}},
			now:    "2024-05-15 12:00:00", period: model.UsagePeriodPrevious,
			start: "2024-04-01 00:00:00", end: "2024-05-01 00:00:00", seconds: 1000, included: 100, days: 30,
			busy: map[string]int{"2024-04-30": 1000},
		},
		{
			reason: "no build, no seconds, all the days", now: "2024-05-03 00:00:00", period: model.UsagePeriodCurrent,
			start: "2024-05-01 00:00:00", end: "2024-06-01 00:00:00", included: 100, days: 3, busy: map[string]int{},
		},
		{
			reason: "a subscription's period begins within a day, by the minute", subscribed: "2024-05-10 09:30:45",
			builds: []build{{"2024-05-10 09:29:59", 1000}, {"2024-05-10 09:30:50", 1}, {"2024-05-10 18:00:00", 20}, {"2024-05-12 00:00:00", 300}},
			now:    "2024-05-15 12:00:00", period: model.UsagePeriodCurrent,
			start: "2024-05-10 09:30:45", end: "2024-06-10 09:30:45", seconds: 321, included: 1000, days: 6,
			busy: map[string]int{"2024-05-10": 21, "2024-05-12": 300},
		},
		{
			reason: "the period before one that began within a day has two part days", subscribed: "2024-04-12 09:30:45",
			builds: []build{{"2024-04-12 09:29:00", 7}, {"2024-04-12 10:00:00", 1000}, {"2024-04-20 10:00:00", 10}, {"2024-05-12 09:00:00", 200}, {"2024-05-12 10:00:00", 30}},
			now:    "2024-05-15 12:00:00", period: model.UsagePeriodPrevious,
			start: "2024-04-12 09:30:45", end: "2024-05-12 09:30:45", seconds: 1210, included: 1000, days: 31,
			busy: map[string]int{"2024-04-12": 1000, "2024-04-20": 10, "2024-05-12": 200},
		},
		{
			reason: "a period that rolled over begins anew", subscribed: "2024-04-12 09:30:00",
			builds: []build{{"2024-05-12 09:29:00", 200}, {"2024-05-12 09:30:00", 30}},
			now:    "2024-05-15 12:00:00", period: model.UsagePeriodCurrent,
			start: "2024-05-12 09:30:00", end: "2024-06-12 09:30:00", seconds: 30, included: 1000, days: 4,
			busy: map[string]int{"2024-05-12": 30},
		},
		{
			reason: "months too short for the anchor's day", subscribed: "2024-01-31 00:00:00",
			now: "2024-03-01 00:00:00", period: model.UsagePeriodPrevious,
			start: "2024-01-31 00:00:00", end: "2024-02-29 00:00:00", included: 1000, days: 29, busy: map[string]int{},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			w.clock.Set(at("2024-01-01 00:00:00"))
			first := w.started(t)
			account := signUp(t, first, "ada")
			signUp(t, first, "other")
			if c.subscribed != "" {
				w.clock.Set(at(c.subscribed))
				w.subscribe(t, account, "prod_drydock_team")
			}
			for i, b := range c.builds {
				w.clock.Set(at(b.finished))
				for _, login := range []string{"ada", "other"} {
					report := model.UsageReport{Login: login, BuildUID: fmt.Sprintf("%s-%d", login, i), Seconds: b.seconds, FinishedAt: at(b.finished)}
					if err := first.ReportUsage(within(t), report); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.clock.Set(at(c.now))
			usage, err := w.started(t).Usage(within(t), "Ada", c.period)
			if err != nil {
				t.Fatal(err)
			}
			busy := map[string]int{}
			for i, day := range usage.Daily {
				if want := at(c.start).AddDate(0, 0, i).Format(time.DateOnly); day.Date != want || day.Login != "ada" {
					t.Errorf("day %d is %s of %s, want %s", i, day.Date, day.Login, want)
				}
				if day.BuildSeconds != 0 {
					busy[day.Date] = day.BuildSeconds
				}
			}
			if diff := cmp.Diff(c.busy, busy); diff != "" {
				t.Errorf("busy days (-want +got):\n%s", diff)
			}
			days := len(usage.Daily)
			usage.Daily = nil
			want := &model.Usage{
				Login: "ada", PeriodStart: at(c.start), PeriodEnd: at(c.end), BuildSeconds: c.seconds, IncludedBuildMinutes: c.included,
			}
			if diff := cmp.Diff(want, usage); diff != "" || days != c.days {
				t.Errorf("%d days, want %d (-want +got):\n%s", days, c.days, diff)
			}
		})
	}
}

func TestUsageSeesOwnReports(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	signUp(t, c, "ada")
	for n := 1; n <= 3; n++ {
		report := model.UsageReport{Login: "ADA", BuildUID: fmt.Sprint(n), Seconds: 60, FinishedAt: noon}
		if err := c.ReportUsage(within(t), report); err != nil {
			t.Fatal(err)
		}
		usage, err := c.Usage(within(t), "ada", model.UsagePeriodCurrent)
		if err != nil || usage.BuildSeconds != 60*n {
			t.Errorf("after %d reports: %+v, %v", n, usage, err)
		}
	}
}

// TestReportedOnce makes every report end as one event, whatever happens on the way.
func TestReportedOnce(t *testing.T) {
	const event = "POST /v1/billing/meter_events"
	again := []time.Duration{0}
	cases := []struct {
		reason string
		faults []billingtest.Fault
		// after are the times of the calls, from the build's end.
		after []time.Duration
	}{
		{"the answer was lost once: the transport asks again", []billingtest.Fault{{Match: event, DropAfter: true}}, again},
		{"every answer was lost: the caller asks again", []billingtest.Fault{{Match: event, Times: 4, DropAfter: true}}, []time.Duration{0, time.Minute}},
		{"an error behind the effect", []billingtest.Fault{{Match: event, Times: 4, Status: 500, AfterEffect: true}}, []time.Duration{0, time.Minute}},
		{"nothing arrived", []billingtest.Fault{{Match: event, Times: 4, DropBefore: true}}, []time.Duration{0, time.Minute}},
		{"overload", []billingtest.Fault{{Match: event, Times: 3, Status: 429, Reason: "endpoint-rate"}}, again},
		{"three replicas of the controller tell the same", nil, []time.Duration{0, 0, 0}},
		{"again a day later, while Stripe still knows the identifier", nil, []time.Duration{0, 23 * time.Hour}},
		{"the first time long after its end, in the minute of its end all the same", nil, []time.Duration{34 * 24 * time.Hour}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			client := w.started(t)
			account := signUp(t, client, "ada")
			w.stripe.Inject(c.faults...)
			var err error
			for _, after := range c.after {
				w.clock.Set(noon.Add(after))
				err = client.ReportUsage(within(t), model.UsageReport{Login: "ada", BuildUID: "uid", Seconds: 90, FinishedAt: noon})
			}
			if err != nil {
				t.Errorf("the last report failed: %v", err)
			}
			if got := w.stripe.MeterSum(account.CustomerID, noon.Add(-time.Hour), noon.Add(time.Hour)); got != 90 {
				t.Errorf("the meter has %d seconds, want 90", got)
			}
		})
	}
}

// TestReportFollowsTheLogin reports for a login whose customer was deleted and signed
// up anew through another replica.
func TestReportFollowsTheLogin(t *testing.T) {
	w := newWorld(t, billingtest.Options{SearchLag: time.Hour})
	client, other := w.started(t), w.started(t)
	for _, c := range []*model.Account{signUp(t, client, "ada"), signUp(t, client, "grace")} {
		w.call(t, "DELETE", "/v1/customers/"+c.CustomerID, nil)
	}
	account := signUp(t, other, "ada")
	for _, after := range []time.Duration{0, 20 * time.Hour} {
		w.clock.Set(noon.Add(after))
		if err := client.ReportUsage(within(t), model.UsageReport{Login: "ada", BuildUID: "uid", Seconds: 90, FinishedAt: noon}); err != nil {
			t.Fatal(err)
		}
		if err := client.ReportUsage(within(t), model.UsageReport{Login: "grace", BuildUID: "g", Seconds: 90, FinishedAt: noon}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a deleted account's report gave %v", err)
		}
	}
	if got := w.stripe.MeterSum(account.CustomerID, noon, noon.Add(time.Minute)); got != 90 {
		t.Errorf("the meter has %d seconds, want 90", got)
	}
}

func TestReportRefused(t *testing.T) {
	cases := []struct {
		reason string
		report model.UsageReport
		kind   fault.Kind
	}{
		{"nobody", model.UsageReport{Login: "nobody", BuildUID: "u", Seconds: 1, FinishedAt: noon}, fault.NotFound},
		{"older than Stripe takes", model.UsageReport{Login: "ada", BuildUID: "u", Seconds: 1, FinishedAt: noon.AddDate(0, 0, -36)}, fault.BadUserInput},
		{"less than nothing", model.UsageReport{Login: "ada", BuildUID: "u", Seconds: -1, FinishedAt: noon}, fault.BadUserInput},
		{"no build", model.UsageReport{Login: "ada", Seconds: 1, FinishedAt: noon}, fault.BadUserInput},
		{"a clock ahead of Stripe's: its time comes", model.UsageReport{Login: "ada", BuildUID: "u", Seconds: 1, FinishedAt: noon.Add(time.Hour)}, fault.Unavailable},
		{"a clock a little ahead of Stripe's is no error", model.UsageReport{Login: "ada", BuildUID: "u", Seconds: 1, FinishedAt: noon.Add(4 * time.Minute)}, ""},
	}
	w := newWorld(t, billingtest.Options{})
	client := w.started(t)
	signUp(t, client, "ada")
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			err := client.ReportUsage(within(t), c.report)
			if c.kind == "" && err != nil || c.kind != "" && fault.KindOf(err) != c.kind {
				t.Errorf("got %v, want %q", err, c.kind)
			}
		})
	}
}
