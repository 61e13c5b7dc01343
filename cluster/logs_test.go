package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// run makes the pod of a build, as its Job would: an init container and a container,
// each a shell script.
func (w *world) run(t *testing.T, key model.Key, clone, build string) *corev1.Pod {
	t.Helper()
	shell := func(name, script string) corev1.Container {
		return corev1.Container{Name: name, Image: "sh", Command: []string{"sh", "-c", script}}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace(key.Login), Name: key.Name,
			Labels: map[string]string{v1alpha1.LabelBuild: key.Name}},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: new(int64(1)),
			InitContainers: []corev1.Container{shell("clone", clone)}, Containers: []corev1.Container{shell("build", build)}},
	}
	eventually(t, "the namespace takes pods", func() bool { return w.Create(t.Context(), pod) == nil })
	t.Cleanup(func() { _ = w.Delete(context.WithoutCancel(t.Context()), pod) })
	w.status(t, key, ended(v1alpha1.PhaseRunning))
	return pod
}

func (w *world) waitForPod(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	eventually(t, "the pod ends", func() bool {
		return w.Get(t.Context(), client.ObjectKeyFromObject(pod), pod) == nil && pod.Status.Phase == corev1.PodSucceeded
	})
}

// keep does with a build's log what the controller does at its end.
func (w *world) keep(t *testing.T, key model.Key, pod *corev1.Pod) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	must(t, err)
	typed, err := kubernetes.NewForConfig(config)
	must(t, err)
	var lines []v1alpha1.LogLine
	for _, container := range v1alpha1.LogContainers(&pod.Spec) {
		stream, err := typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, Timestamps: true}).Stream(t.Context())
		must(t, err)
		reader := v1alpha1.NewLogReader(stream, 0)
		for err == nil {
			var line v1alpha1.LogLine
			if line, err = reader.Next(); err == nil || errors.Is(err, v1alpha1.ErrUnfinishedLine) {
				lines = append(lines, line)
			}
		}
		must(t, stream.Close())
		if !errors.Is(err, io.EOF) && !errors.Is(err, v1alpha1.ErrUnfinishedLine) {
			t.Fatal(err)
		}
	}
	w.keepLines(t, key, v1alpha1.PhaseSucceeded, lines)
}

// keepLines keeps lines as the controller does, of a build in a phase.
func (w *world) keepLines(t *testing.T, key model.Key, phase v1alpha1.BuildPhase, lines []v1alpha1.LogLine) {
	t.Helper()
	var packer v1alpha1.LogPacker
	write := func(chunk *v1alpha1.LogChunk) {
		if chunk != nil {
			must(t, w.Create(t.Context(), &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace(key.Login), Name: chunk.Name,
					Annotations: map[string]string{v1alpha1.AnnotationLogContainer: chunk.Container}},
				BinaryData: map[string][]byte{v1alpha1.LogKey: chunk.Data}}))
		}
	}
	for _, line := range lines {
		write(packer.Add(key.Name, "build", line))
	}
	write(packer.Open())
	packer.Bound()
	log := packer.Status()
	w.status(t, key, func(s *v1alpha1.BuildStatus) { s.Phase, s.Log = phase, &log })
}

// collect takes lines until the channel is closed.
func collect(t *testing.T, lines <-chan *model.LogLine) []string {
	var got []string
	deadline := time.After(2 * patience)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return got
			}
			got = append(got, numbered(line))
		case <-deadline:
			t.Errorf("the log did not end; it is at %d lines", len(got))
			return got
		}
	}
}

func numbered(line *model.LogLine) string { return fmt.Sprint(line.Number, " ", line.Text) }

// counted are the lines of a script that counts, with their numbers.
func counted(first, count int, text string) []string {
	var lines []string
	for i := range count {
		lines = append(lines, fmt.Sprint(first+i, " ", text, " ", i+1))
	}
	return lines
}

// readAll reads a log page by page until it is complete.
func readAll(t *testing.T, c *cluster.Client, key model.Key, size int) (got []string) {
	t.Helper()
	for after := 0; ; {
		page, err := c.BuildLog(t.Context(), key, after, size)
		must(t, err)
		for _, line := range page.Lines {
			got = append(got, numbered(line))
		}
		if page.Complete {
			return got
		}
		if page.EndCursor <= after {
			t.Fatalf("a page after %d without lines, and no end", after)
		}
		after = page.EndCursor
	}
}

// Fifty readers, some of them late, follow a build from its queue to its end: each gets
// every line once, and all of them together cost one stream of each container.
func TestFollowersShareTheStream(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	c := w.connect(t, registry)
	b := start(t, c, create(t, c, newLogin(), "app").Key)
	want := slices.Concat(counted(1, 3, "clone"), counted(4, 300, "build"), []string{"304 " + strings.Repeat("x", 100_000), "305 end"})

	results := make([][]string, 50)
	var group sync.WaitGroup
	follow := func(i, after int) {
		lines, err := c.FollowBuildLog(t.Context(), b.Key, after)
		must(t, err)
		group.Go(func() { results[i] = collect(t, lines) })
	}
	for i := range 25 {
		follow(i, i)
	}
	early, err := c.FollowBuildLog(t.Context(), b.Key, 0)
	must(t, err)
	pod := w.run(t, b.Key, `for i in 1 2 3; do echo "clone $i"; done`,
		`for i in $(seq 300); do echo "build $i"; [ $((i % 10)) = 0 ] && sleep 0.05; done; head -c 100000 /dev/zero | tr '\0' x; echo; printf end`)
	for range 100 {
		next(t, early)
	}
	for i := 25; i < 50; i++ {
		follow(i, i-25)
	}
	var rest []string
	group.Go(func() { rest = collect(t, early) })
	w.waitForPod(t, pod)
	w.keep(t, b.Key, pod)
	must(t, w.Delete(t.Context(), pod))
	group.Wait()

	for i, got := range results {
		if diff := cmp.Diff(want[i%25:], got); diff != "" {
			t.Fatalf("follower %d (-want +got):\n%.3000s", i, diff)
		}
	}
	if diff := cmp.Diff(want[100:], rest); diff != "" {
		t.Errorf("the early one's rest (-want +got):\n%.3000s", diff)
	}
	streams := requests(t, registry)["GET /api/v1/namespaces/{namespace}/pods/{name}/log"]
	if streams > 10 { // a stream that ends before its container is known to have ended is opened again
		t.Errorf("%d streams were opened, want one of each container", streams)
	}
	if diff := cmp.Diff(want, readAll(t, c, b.Key, 7)); diff != "" {
		t.Errorf("kept (-want +got):\n%.3000s", diff)
	}
	late, err := c.FollowBuildLog(t.Context(), b.Key, 300)
	must(t, err)
	if diff := cmp.Diff(want[300:], collect(t, late)); diff != "" {
		t.Errorf("followed after the end (-want +got):\n%.3000s", diff)
	}
}

// Connections that break cost no line and repeat none.
func TestFollowOverBrokenConnections(t *testing.T) {
	w := newWorld(t)
	p := newProxy(t, w)
	c := (&world{Client: w.Client, kubeconfig: p.kubeconfig}).connect(t, nil)
	b := start(t, c, create(t, c, newLogin(), "app").Key)
	lines, err := c.FollowBuildLog(t.Context(), b.Key, 0)
	must(t, err)
	pod := w.run(t, b.Key, "true", `for i in $(seq 200); do echo "build $i"; sleep 0.02; done`)
	var got []string
	for i := range 150 {
		line, ok := next(t, lines)
		if !ok {
			t.Fatal("the log ended early")
		}
		got = append(got, numbered(line))
		if i%40 == 20 {
			p.set(true)
			p.set(false)
		}
	}
	w.waitForPod(t, pod)
	w.keep(t, b.Key, pod)
	must(t, w.Delete(t.Context(), pod))
	got = append(got, collect(t, lines)...)
	if diff := cmp.Diff(counted(1, 200, "build"), got); diff != "" {
		t.Errorf("(-want +got):\n%.3000s", diff)
	}
}

// Who starts late, or reads slowly, gets what is in memory no more from the pod.
func TestFollowBeyondMemory(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	b := start(t, c, create(t, c, newLogin(), "app").Key)
	slow, err := c.FollowBuildLog(t.Context(), b.Key, 0)
	must(t, err)
	quick, err := c.FollowBuildLog(t.Context(), b.Key, 0)
	must(t, err)
	pod := w.run(t, b.Key, "true", `seq -f "build %.0f" 20000; sleep 2; echo "build 20001"`)
	for range 20_000 {
		next(t, quick)
	}
	next(t, slow)
	late, err := c.FollowBuildLog(t.Context(), b.Key, 0)
	must(t, err)
	want := counted(1, 20_001, "build")
	for i := range 20_000 {
		if line, _ := next(t, late); numbered(line) != want[i] {
			t.Fatalf("the late one got %q, want %q", numbered(line), want[i])
		}
	}
	page, err := c.BuildLog(t.Context(), b.Key, 10_000, 5)
	must(t, err)
	if got := names(page.Lines, numbered); !slices.Equal(got, want[10_000:10_005]) || page.EndCursor != 10_005 || page.Complete {
		t.Errorf("a page of a running build: %q, to %d, complete: %v", got, page.EndCursor, page.Complete)
	}
	w.waitForPod(t, pod)
	w.keep(t, b.Key, pod)
	must(t, w.Delete(t.Context(), pod))
	if diff := cmp.Diff(want[20_000:], collect(t, late)); diff != "" {
		t.Errorf("late (-want +got):\n%.2000s", diff)
	}
	if diff := cmp.Diff(want[1:], collect(t, slow)); diff != "" {
		t.Errorf("slow (-want +got):\n%.2000s", diff)
	}
	if got := collect(t, quick); len(got) != 1 {
		t.Errorf("the quick one got %d lines more, want 1", len(got))
	}
}

func TestKeptLog(t *testing.T) {
	const last = v1alpha1.MaxLogLines + 20_000
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	var lines []v1alpha1.LogLine
	for i := range last {
		lines = append(lines, v1alpha1.LogLine{Time: at, Text: fmt.Sprint("line ", i+1, strings.Repeat("x", 100))})
	}
	kept := start(t, c, image.Key)
	w.keepLines(t, kept.Key, v1alpha1.PhaseSucceeded, lines)
	unborn := start(t, c, image.Key)
	w.status(t, unborn.Key, ended(v1alpha1.PhaseCancelled))
	eventually(t, "both ends are seen", func() bool {
		slice, err := c.Builds(t.Context(), model.BuildQuery{Login: image.Key.Login, Phases: []model.BuildPhase{model.BuildPhaseQueued}, Page: model.Page{First: 1}})
		return err == nil && slice.Total == 0
	})

	page, err := c.BuildLog(t.Context(), kept.Key, 0, 1)
	must(t, err)
	oldest := page.Lines[0].Number
	if oldest <= 1 || oldest > 20_000 || page.FirstLine != oldest || page.Complete {
		t.Errorf("the first kept line is %d, and is said to be %d; complete: %v", oldest, page.FirstLine, page.Complete)
	}
	for _, test := range []struct {
		reason      string
		after, size int
		first, last int
		complete    bool
	}{
		{"the oldest that was kept", 0, 10, oldest, oldest + 9, false},
		{"from within", 50_000, 10_000, 50_001, 60_000, false},
		{"to the end", last - 100, 1000, last - 99, last, true},
		{"just the end", last - 10, 10, last - 9, last, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			page, err := c.BuildLog(t.Context(), kept.Key, test.after, test.size)
			must(t, err)
			got := []int{page.Lines[0].Number, page.Lines[len(page.Lines)-1].Number, page.EndCursor, len(page.Lines)}
			if diff := cmp.Diff([]int{test.first, test.last, test.last, test.last - test.first + 1}, got); diff != "" || page.Complete != test.complete {
				t.Errorf("complete: %v (-want +got):\n%s", page.Complete, diff)
			}
			if !page.Lines[0].Time.Equal(at) {
				t.Errorf("printed at %s", page.Lines[0].Time)
			}
		})
	}
	for _, test := range []struct {
		reason       string
		key          model.Key
		after, first int
		kind         fault.Kind
	}{
		{"a page without lines", kept.Key, 0, 0, fault.BadUserInput},
		{"too large a page", kept.Key, 0, 10_001, fault.BadUserInput},
		{"a line before the first", kept.Key, -1, 10, fault.BadUserInput},
		{"another account's build", model.Key{Login: newLogin(), Name: kept.Key.Name}, 0, 10, fault.NotFound},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := c.BuildLog(t.Context(), test.key, test.after, test.first)
			wantFault(t, err, test.kind)
			if test.first == 10 {
				_, err = c.FollowBuildLog(t.Context(), test.key, test.after)
				wantFault(t, err, test.kind)
			}
		})
	}
	page, err = c.BuildLog(t.Context(), kept.Key, last+500, 10)
	must(t, err)
	if len(page.Lines) != 0 || !page.Complete {
		t.Errorf("beyond the end: %d lines, complete: %v", len(page.Lines), page.Complete)
	}
	none, err := c.FollowBuildLog(t.Context(), unborn.Key, 0)
	must(t, err)
	if got := collect(t, none); len(got) != 0 {
		t.Errorf("a build that never ran printed %q", got)
	}
}
