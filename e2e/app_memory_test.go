package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/e2e/app"
	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/e2e/stack"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An hour of a page that is looked at all the time: a change each six seconds, a build's end each two minutes.
const (
	hourOfChanges = 600
	hourOfBuilds  = 30
	// linesAtOnce are printed in each change of a log, of which a page keeps 120,000.
	linesAtOnce = 300
	// heapRoom is what a page may hold more at the hour's end, in bytes: much less than it would of all that it showed.
	heapRoom = 4 << 20
)

// chatter is a RUN step that prints what it is sent.
const chatter = `package main

import (
	"io"
	"net"
	"os"
)

func main() {
	connection, err := net.Dial("tcp", os.Getenv("GATE"))
	if err != nil {
		panic(err)
	}
	if _, err := io.Copy(os.Stdout, connection); err != nil {
		panic(err)
	}
}
`

// TestAppMemory holds that a page keeps nothing of what it showed: of the changes of an hour in a list, in the usage, and in a
// log that grows beyond what a page keeps of one. On the way it holds that each of these pages loads its own scripts alone.
func TestAppMemory(t *testing.T) {
	g := gateway(t)
	karen := signIn(t, g.URL, "karen")
	image := karen.createImage("quiet", "https://git.example.com/quiet.git")
	karen.startBuild(image)
	k, err := house.Kubernetes()
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t, g.URL)
	v.do("open the first page", browser.Open(g.URL+"/"), browser.Shows("h2", "Sign in"))
	v.tellFigures("the first page, to sign in")
	v.checkFirstPage()
	v.signInAt("/", karen.login)
	v.see("the list", "main li", "quiet")
	v.checkChunk("the charts", "recharts-surface", false)
	v.checkChunk("the log's lines", "Lines of the log", false)
	v.checkChunk("GraphiQL's editor", "monaco", false)
	v.holdHeap("a list of images", hourOfChanges, hourOfChanges/6, karen.endAgain(k, v))

	v.do("go to the usage", browser.Press("Usage"), browser.Shows("h1", "Usage"))
	v.holdHeap("the usage", hourOfBuilds, hourOfBuilds/6, karen.useUp(k, v, image))
	v.checkChunk("the charts", "recharts-surface", true)
	v.checkChunk("the log's lines", "Lines of the log", false)
	small := v.heap() // what every page takes, its scripts loaded

	controller(t) // not before: builds would not end as they are told
	gate := newGateOf(t, "app-memory", chatter)
	karen.startBuild(karen.createImage("loud", gate.Repository, gate.Argument))
	out := bufio.NewWriter(gate.await(t, 1))
	v.do("look at a build", browser.Press("Images"), browser.Press("loud"), browser.Press("#1"), browser.Shows(status, "Running"))
	v.holdHeap("a build's log", hourOfChanges, 7*60, func(n int) {
		for i := range linesAtOnce {
			_, _ = fmt.Fprintf(out, "update-%d line %d\n", n, i+1)
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		if n%60 == 0 { // a node rotates away what nobody has read
			v.see("the newest line", app.Lines, fmt.Sprintf("update-%d line %d", n, linesAtOnce))
		}
	})
	v.checkChunk("the log's lines", "Lines of the log", true)
	v.see("that lines are left out", `[aria-label="Log"]`, "are left out: a page holds the newest 120,000 lines")
	gate.open()
	v.see("the build's end", status, "Succeeded")
	v.do("go back to the list", browser.Press("Images"), browser.Shows("main li", "loud"))
	if left := v.heap(); left > small+heapRoom {
		t.Errorf("the page holds %d bytes after it has shown a long log, %d before", left, small)
	}
	v.checkWitness("/", 3) // the first time, to sign in, and with the new session
}

// holdHeap makes changes, and holds that the page's heap is much the same after all of them as after some.
func (v *visitor) holdHeap(of string, changes, some int, change func(n int)) {
	v.t.Helper()
	before, begun := 0, time.Now()
	for n := 1; n <= changes; n++ {
		change(n)
		if n == some {
			before = v.heap()
		}
	}
	after := v.heap()
	v.t.Logf("%s: the page's heap is %d bytes after %d changes, %d after %d, in %s", of, before, some, after, changes, time.Since(begun))
	if after > before+heapRoom {
		v.t.Errorf("%s: the page's heap grew by %d bytes in %d changes, want %d at most", of, after-before, changes-some, heapRoom)
	}
}

// heap is how many bytes the page's scripts hold, garbage left out.
func (v *visitor) heap() int {
	v.t.Helper()
	used, err := v.Heap(within(v.t, patience))
	if err != nil {
		v.t.Fatal(err)
	}
	return used
}

// endAgain gives a build another end each time, a second later, as a list shows it.
func (a *actor) endAgain(k *stack.Kubernetes, v *visitor) func(n int) {
	newest := a.customResources()[0]
	return func(n int) {
		a.end(k, newest, n, nil)
		if n%25 == 0 {
			v.see("how long it took", "main li", "· "+span(n))
		}
	}
}

// span is so many seconds as the app writes them.
func span(seconds int) string {
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
}

// useUp starts and ends another build each time, which took a minute, and tells the meter.
func (a *actor) useUp(k *stack.Kubernetes, v *visitor, image string) func(n int) {
	customers, err := house.Stripe.Customers(within(a.t, patience), a.login)
	if err != nil || len(customers) != 1 {
		a.t.Fatal(customers, err)
	}
	return func(n int) {
		number := a.startBuild(image).Number
		err := house.Stripe.Call(within(a.t, patience), http.MethodPost, "/v1/billing/meter_events", url.Values{
			"event_name": {"drydock_build_seconds"}, "payload[stripe_customer_id]": {customers[0]}, "payload[value]": {"60"},
		}, &struct{}{})
		if err != nil {
			a.t.Fatal(err)
		}
		for _, build := range a.customResources() {
			if build.Spec.Number == int64(number) {
				a.end(k, build, 60, &v1alpha1.BuildBilling{Seconds: 60, ReportTime: metav1.Now()})
			}
		}
		v.see("the usage", "main tfoot", fmt.Sprintf("%d", n))
	}
}

// end writes a build's end as a controller would, after so many seconds.
func (a *actor) end(k *stack.Kubernetes, build v1alpha1.Build, seconds int, billing *v1alpha1.BuildBilling) {
	a.t.Helper()
	began := build.CreationTimestamp
	status := map[string]any{"status": map[string]any{
		"phase": "Succeeded", "reason": "Succeeded", "startTime": began, "billing": billing,
		"completionTime": metav1.NewTime(began.Add(time.Duration(seconds) * time.Second)),
	}}
	path := "/apis/drydock.dev/v1alpha1/namespaces/" + build.Namespace + "/builds/" + build.Name + "/status"
	if err := k.Patch(within(a.t, patience), path, status); err != nil {
		a.t.Fatal(err)
	}
}
