package controller_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
)

var (
	chaosBuilds = flag.Int("chaos-builds", 120, "how many builds TestChaos makes; a thousand take five minutes")
	chaosSeed   = flag.Uint64("chaos-seed", 1, "what TestChaos draws its lots from")
)

// chaosAccounts share the builds.
const chaosAccounts = 10

// chaosScript is a strategy whose builds take up to three seconds, by their number,
// and push nothing.
const chaosScript = `
n=${DRYDOCK_TAGS#n}
sleep $((n % 3)).$((n % 10))
printf '{"digest":"sha256:%064d","tags":["%s"]}' "$n" "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"
`

// TestChaos makes -chaos-builds builds that run as real processes, while the controller,
// the real program, is killed (-9) every few seconds, Stripe fails in every way it can,
// and some builds are deleted. In the end Stripe holds, by the second of each build's
// end, what a witness saw of the builds.
func TestChaos(t *testing.T) {
	w := newWorld(t)
	t.Logf("seed %d: repeat with -chaos-seed", *chaosSeed)
	w.shellStrategy("chaos", chaosScript)
	binary := program(t, "../cmd/controller")
	accounts := []*world{w}
	for len(accounts) < chaosAccounts {
		other := *w
		other.newAccount()
		accounts = append(accounts, &other)
	}
	c := &chaos{world: w, accounts: accounts, end: make(chan struct{})}
	c.seen = w.witness()
	began := time.Now()
	for i, account := range accounts {
		image := account.image("app")
		for n := range *chaosBuilds / chaosAccounts {
			number := int64(n*chaosAccounts + i + 1)
			account.build(image, number, func(b *v1alpha1.Build) {
				b.Spec.Tags, b.Spec.Limits.ConcurrentBuilds = []string{fmt.Sprintf("n%d", number)}, 6
				b.Spec.Limits.CPU.SetMilli(100)
			})
		}
	}
	var trouble sync.WaitGroup
	trouble.Go(c.fail)
	trouble.Go(c.delete)
	random := rand.New(rand.NewPCG(*chaosSeed, 0))
	kills := 0
	for ; c.left(ended) > *chaosBuilds/50; kills++ {
		if time.Since(began) > 15*time.Minute {
			t.Fatalf("%d builds have not ended", c.left(ended))
		}
		process := w.launchBinary(binary, "--strategy", "chaos", "--leader-elect=false")
		time.Sleep(time.Duration(2000+random.IntN(6000)) * time.Millisecond) // a life
		process.kill()
	}
	close(c.end)
	trouble.Wait()
	w.stripe.ClearFaults()
	w.launchBinary(binary, "--strategy", "chaos", "--leader-elect=false")
	w.eventually("every build is billed, and the deleted ones are gone", func() bool { return c.left(atRest) == 0 })
	t.Logf("%d builds in %s: the controller was killed %d times, Stripe was made to fail %d times, %d builds were deleted; %d requests told the meter",
		*chaosBuilds, time.Since(began).Round(time.Second), kills, c.faults, c.deleted, w.stripe.Requests()["POST /v1/billing/meter_events"])
	c.audit()
}

// chaos is what befalls a world.
type chaos struct {
	*world
	accounts        []*world
	seen            func() map[string]sighting
	end             chan struct{}
	faults, deleted int
}

// left is how many of all builds are not as told.
func (c *chaos) left(is func(*v1alpha1.Build) bool) int {
	count := 0
	for _, account := range c.accounts {
		for _, build := range account.builds() {
			if !is(&build) {
				count++
			}
		}
	}
	return count
}

func atRest(build *v1alpha1.Build) bool { return billed(build) && build.DeletionTimestamp.IsZero() }

// fail makes Stripe misbehave until the end.
func (c *chaos) fail() {
	const event = "POST /v1/billing/meter_events"
	kinds := []billingtest.Fault{
		{Match: event, DropBefore: true},
		{Match: event, DropAfter: true},
		{Match: event, Status: 500, AfterEffect: true},
		{Match: event, Status: 503},
		{Match: event, Status: 429, Reason: "endpoint-rate"},
		{Match: event, Status: 429, Code: "lock_timeout"},
		{Match: event, Latency: 3 * time.Second},
		{DropAfter: true},
		{Status: 500},
	}
	random := rand.New(rand.NewPCG(*chaosSeed, 1))
	for c.again(time.Duration(random.IntN(400)) * time.Millisecond) {
		c.stripe.ClearFaults()
		if random.IntN(3) == 0 {
			continue
		}
		fault := kinds[random.IntN(len(kinds))]
		fault.Times = 1 + random.IntN(3)
		c.stripe.Inject(fault)
		c.faults++
	}
}

// delete deletes one build after the other, wherever it is.
func (c *chaos) delete() {
	random := rand.New(rand.NewPCG(*chaosSeed, 2))
	for c.again(time.Duration(random.IntN(2000)) * time.Millisecond) {
		account := c.accounts[random.IntN(len(c.accounts))]
		var list v1alpha1.BuildList
		if err := c.kube.List(c.t.Context(), &list, client.InNamespace(account.namespace)); err != nil {
			c.t.Error(err)
			return
		}
		if len(list.Items) == 0 {
			continue
		}
		if err := client.IgnoreNotFound(c.kube.Delete(c.t.Context(), &list.Items[random.IntN(len(list.Items))])); err != nil {
			c.t.Error(err)
			return
		}
		c.deleted++
	}
}

// again waits, and tells whether the chaos goes on.
func (c *chaos) again(wait time.Duration) bool {
	select {
	case <-c.end:
		return false
	case <-time.After(wait):
		return true
	}
}

// sighting is how a build ended.
type sighting struct {
	namespace string
	end       time.Time
	seconds   int64
}

// witness watches all builds, and tells how those ended that have seconds, by UID.
func (w *world) witness() (seen func() map[string]sighting) {
	w.t.Helper()
	watcher, err := w.kube.Watch(w.t.Context(), &v1alpha1.BuildList{})
	if err != nil {
		w.t.Fatal(err)
	}
	found, done := map[string]sighting{}, make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			build, is := event.Object.(*v1alpha1.Build)
			if is && event.Type != watch.Bookmark && ended(build) && controller.Seconds(build) > 0 {
				found[string(build.UID)] = sighting{build.Namespace, build.Status.CompletionTime.UTC(), controller.Seconds(build)}
			}
		}
	}()
	return func() map[string]sighting {
		select {
		case <-done:
			w.t.Error("the witness looked away")
		default:
		}
		watcher.Stop()
		<-done
		return found
	}
}

// audit holds Stripe, and what Builds and ledger say, against what the witness saw.
func (c *chaos) audit() {
	seen := c.seen()
	var count, total int64
	for _, account := range c.accounts {
		said := account.entered()
		for _, build := range account.builds() {
			if build.Status.Billing.Seconds > 0 {
				said[string(build.UID)] = build.Status.Billing.Seconds
			}
		}
		seconds, sum := map[time.Time]int64{}, int64(0)
		for uid, sighting := range seen {
			if sighting.namespace != account.namespace {
				continue
			}
			if said[uid] != sighting.seconds {
				c.t.Errorf("build %s took %d seconds, its status or the ledger says %d", uid, sighting.seconds, said[uid])
			}
			delete(said, uid)
			seconds[sighting.end] += sighting.seconds
			sum, count = sum+sighting.seconds, count+1
		}
		for uid := range said {
			c.t.Errorf("build %s was billed, and nobody saw it end", uid)
		}
		for end, want := range seconds {
			if got := c.stripe.MeterSum(account.customer, end, end.Add(time.Second)); got != want {
				c.t.Errorf("%s: Stripe holds %d seconds of %s, the builds took %d", account.login, got, end, want)
			}
		}
		if got := c.stripe.MeterSum(account.customer, time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0)); got != sum {
			c.t.Errorf("%s: Stripe holds %d seconds, the builds took %d", account.login, got, sum)
		}
		total += sum
	}
	c.t.Logf("%d builds took %d seconds, and so says Stripe", count, total)
	if int(count) < *chaosBuilds*8/10 {
		c.t.Errorf("only %d builds ran", count)
	}
}
