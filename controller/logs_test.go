package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/graph/model"
)

// printScript prints a batch of 8,000 lines, 1 MB with their times, whenever a file of its number is there: so many
// lines in one go, with a moment between, in which who reads takes them before the node rotates them away, and which
// lasts until a file says that somebody has read them.
const printScript = `
for batch in 1 2 3; do
	until [ -e "$DRYDOCK_ARG_DIR/$batch" ]; do sleep 0.1; done
	for first in $(seq $((batch * 8000 - 7999)) "$DRYDOCK_ARG_LINES" $((batch * 8000))); do
		seq -f 'line %06.0f of a build that prints very much, and goes on and on, so that its log is rotated' $first $((first + DRYDOCK_ARG_LINES - 1))
		[ "$DRYDOCK_ARG_LINES" = 8000 ] && continue
		sleep 0.5
		until [ -e "$DRYDOCK_ARG_DIR/read-$((first + DRYDOCK_ARG_LINES - 1))" ]; do sleep 0.1; done
	done
done
until [ -e "$DRYDOCK_ARG_DIR/end" ]; do sleep 0.1; done
printf '{"digest":"sha256:%064d","tags":["latest"]}' 1 >"$TERMINATION_LOG_PATH"
`

// printing is a build whose batches a test lets out.
type printing struct {
	*world
	dir   string
	build *v1alpha1.Build
}

// print starts a build under a strategy whose node rotates logs of over a size, and which prints so many lines in one go.
func (w *world) print(size, lines string) *printing {
	w.t.Helper()
	strategy := &corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{
		Namespace: v1alpha1.SystemNamespace, Name: "print", Labels: map[string]string{v1alpha1.LabelStrategy: "print"},
	}}
	strategy.Template.Annotations = map[string]string{
		"kubestack.drydock.dev/container-log-max-size": size, "kubestack.drydock.dev/container-log-monitor-interval": "100ms",
	}
	strategy.Template.Spec.Containers = []corev1.Container{{Name: "build", Image: "none", Command: []string{"sh", "-c", printScript}}}
	w.create(strategy)
	w.t.Cleanup(func() { _ = w.kube.Delete(context.WithoutCancel(w.t.Context()), strategy) })
	p := &printing{world: w, dir: w.t.TempDir()}
	image := w.image("app", func(i *v1alpha1.Image) {
		i.Spec.BuildArgs = []v1alpha1.BuildArg{{Key: "DIR", Value: p.dir}, {Key: "LINES", Value: lines}}
	})
	p.build = w.build(image, 1)
	return p
}

// let lets out a batch, or the end.
func (p *printing) let(what string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, what), nil, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// printed are lines of the three batches, from one up to another, numbered from a number on.
func printed(number, from, to int) (lines []string) {
	for line := from; line <= to; line++ {
		lines = append(lines, fmt.Sprintf("%d line %06d of a build that prints very much, and goes on and on, so that its log is rotated",
			number+line-from, line))
	}
	return lines
}

// inAll is how many lines the three batches have.
const inAll = 24_000

// replica is a gateway's view.
func (p *printing) replica() *cluster.Client {
	p.t.Helper()
	c, err := cluster.New(cluster.Options{Kubeconfig: p.kubeconfig, Log: testLog(p.t)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	if err := c.Start(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *printing) key() model.Key { return model.Key{Login: p.login, Name: p.build.Name} }

// follower follows the log from its start.
type follower struct {
	*printing
	lines <-chan *model.LogLine
	got   []string
}

func (p *printing) follow(c *cluster.Client) *follower {
	p.t.Helper()
	lines, err := c.FollowBuildLog(p.t.Context(), p.key(), 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return &follower{printing: p, lines: lines}
}

// until reads up to a number of lines, all of them where it is 0.
func (f *follower) until(count int) {
	f.t.Helper()
	deadline := time.After(patience)
	for count == 0 || len(f.got) < count {
		select {
		case line, more := <-f.lines:
			if !more {
				if count > 0 {
					f.t.Fatalf("the log ended at line %d of %d", len(f.got), count)
				}
				return
			}
			f.got = append(f.got, fmt.Sprint(line.Number, " ", line.Text))
		case <-deadline:
			f.t.Fatalf("%d lines came, want %d", len(f.got), count)
		}
	}
}

// pace reads up to a number of lines, a thousand at a time, and lets the printer print the next ones.
func (f *follower) pace(count int) {
	f.t.Helper()
	for next := len(f.got) + 1000; next <= count; next += 1000 {
		f.until(next)
		f.let(fmt.Sprint("read-", next))
	}
}

// same holds that these are the lines.
func same(t *testing.T, who string, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("%s: line %d is %q, want %q", who, i+1, got[i], want[i])
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%s: %d lines, want %d", who, len(got), len(want))
	}
}

// A node that rotates a log away while it is printed takes no line from anybody: neither from who followed all the
// time, nor from who comes when the beginning is gone from the node, nor from who reads when the build has ended.
func TestLogOutlivesRotation(t *testing.T) {
	w := newWorld(t)
	p := w.print("512Ki", "1000")
	w.start(func(o *controller.Options) { o.Strategy = "print" })
	early := p.follow(p.replica())
	p.let("1")
	early.pace(8000)
	p.let("2")
	early.pace(16_000)
	late := p.follow(p.replica())
	late.until(16_000)
	p.let("3")
	early.pace(24_000)
	last := p.follow(p.replica())
	last.until(24_000)
	p.let("end")
	w.await(p.build, "succeeded", func(b *v1alpha1.Build) bool { return b.Status.Phase == v1alpha1.PhaseSucceeded })
	for who, f := range map[string]*follower{"early": early, "late": late, "last": last, "afterwards": p.follow(p.replica())} {
		f.until(0)
		same(t, who, printed(1, 1, inAll), f.got)
	}
}

// A controller that follows another one goes on where that one ended. What the node rotated away while there was none is
// missing, and the log says so.
func TestLogOutlivesController(t *testing.T) {
	for _, test := range []struct {
		reason string
		size   string   // of a file of the log
		away   []string // batches that are printed while there is no controller
	}{
		{"a controller is killed and followed by one", "10Mi", nil},
		{"the node rotates twice, at least, while there is none", "256Ki", []string{"2", "3"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			w := newWorld(t)
			p := w.print(test.size, "8000")
			stop := w.run(func(o *controller.Options) { o.Strategy = "print" })
			w.await(p.build, "building", building)
			p.let("1")
			w.await(p.build, "kept as far as it goes", func(b *v1alpha1.Build) bool { return b.Status.Log != nil && b.Status.Log.Lines == 8000 })
			stop()
			for _, batch := range test.away {
				p.let(batch)
				p.awaitPrinted(batch)
			}
			stumbling := w.controllerConfig()
			stumbling.Wrap(func(next http.RoundTripper) http.RoundTripper { return &stumble{next: next} })
			w.start(func(o *controller.Options) { o.Strategy, o.Config = "print", stumbling })
			replica := p.replica()
			for _, batch := range []string{"2", "3", "end"} {
				p.let(batch)
			}
			w.await(p.build, "succeeded", func(b *v1alpha1.Build) bool { return b.Status.Phase == v1alpha1.PhaseSucceeded })
			f := p.follow(replica)
			f.until(0)
			if test.away == nil {
				same(t, test.reason, printed(1, 1, inAll), f.got)
				return
			}
			// How many of the last lines the node has still is by its own pace.
			left := len(f.got) - 8001
			if left < 1 || left >= 16_000 {
				t.Fatalf("%d lines in all", len(f.got))
			}
			missing := []string{"8001 [lines are missing here: the node rotated the log away while nobody read it]"}
			same(t, test.reason, slices.Concat(printed(1, 1, 8000), missing, printed(8002, inAll-left+1, inAll)), f.got)
		})
	}
}

// stumble is a connection on which the first looks at what is kept of logs fail.
type stumble struct {
	next  http.RoundTripper
	tries atomic.Int64
}

func (s *stumble) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet && strings.Contains(request.URL.Path, "/configmaps/") && s.tries.Add(1) <= 2 {
		return nil, errors.New("the API server is not there just now")
	}
	return s.next.RoundTrip(request)
}

// awaitPrinted waits until the newest file of the log ends with a batch.
func (p *printing) awaitPrinted(batch string) {
	p.t.Helper()
	p.eventually("batch "+batch+" is printed", func() bool {
		text, err := p.typed.CoreV1().Pods(p.namespace).GetLogs(p.pod().Name, &corev1.PodLogOptions{TailLines: new(int64(1))}).DoRaw(p.t.Context())
		return err == nil && strings.Contains(string(text), fmt.Sprintf("line %06s", batchEnd(batch)))
	})
}

func batchEnd(batch string) string { return map[string]string{"2": "016000", "3": "024000"}[batch] }

// pod is the build's.
func (p *printing) pod() *corev1.Pod {
	p.t.Helper()
	pods, err := p.typed.CoreV1().Pods(p.namespace).List(p.t.Context(), metav1.ListOptions{LabelSelector: v1alpha1.LabelBuild + "=" + p.build.Name})
	if err != nil || len(pods.Items) != 1 {
		p.t.Fatalf("%d pods: %v", len(pods.Items), err)
	}
	return &pods.Items[0]
}
