package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/crane"
	"k8s.io/apimachinery/pkg/api/resource"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestBuildPushes follows one build all the way: every tag in the registry with the
// digest that the status tells, build arguments and context used, the log kept, the
// seconds on the account's usage, and nothing left.
func TestBuildPushes(t *testing.T) {
	w := newWorld(t)
	w.run()
	commit := w.git.repository("app", map[string]string{
		"Dockerfile":        "FROM scratch\nCOPY nothing-of-the-kind /\n",
		"sub/folder/Build":  "FROM scratch\nARG WHO=nobody\nLABEL who=$WHO\nCOPY file /file\n",
		"sub/folder/file":   "content\n",
		"sub/.dockerignore": "*",
	})
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source = v1alpha1.GitSource{Repository: w.git.url("app"), Ref: "main", Context: "sub/folder", Dockerfile: "Build"}
		image.Spec.Tags = []string{"latest", "{{.Branch}}-{{.ShortCommit}}", "n{{ .Number }}", "{{.Tag}}", "{{.Commit}}"}
		image.Spec.BuildArgs = []v1alpha1.BuildArg{{Key: "WHO", Value: "$(DRYDOCK_REF) \"ada\" $HOME $$"}, {Key: "UNUSED", Value: "a\nb"}}
	})
	build := w.await(w.build(image, 7), "billed", billed)

	destination := image.Spec.Destination
	want := v1alpha1.BuildStatus{
		Phase: v1alpha1.PhaseSucceeded, Reason: v1alpha1.ReasonPushed, Message: "Every tag was pushed.", Commit: commit,
		References: []string{destination + ":latest", destination + ":main-" + commit[:7], destination + ":n7", destination + ":" + commit},
	}
	got := v1alpha1.BuildStatus{
		Phase: build.Status.Phase, Reason: build.Status.Reason, Message: build.Status.Message, Commit: build.Status.Commit, References: build.Status.References,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	for _, reference := range build.Status.References {
		if digest, err := crane.Digest(reference, crane.Insecure); err != nil || digest != build.Status.Digest {
			t.Errorf("%s has digest %s (%v), the status says %s", reference, digest, err, build.Status.Digest)
		}
	}
	config, err := crane.Config(destination, crane.Insecure)
	if err != nil || !strings.Contains(string(config), `"who":"$(DRYDOCK_REF) \"ada\" $HOME $$"`) {
		t.Errorf("the build argument did not arrive: %v: %s", err, config)
	}
	log := w.log(build)
	for _, line := range []string{"==> Cloning " + w.git.url("app") + " at main", "==> Building commit " + commit, "==> Pushing " + destination + ":n7", "==> Pushed " + build.Status.Digest} {
		if !strings.Contains(log, line+"\n") {
			t.Errorf("the kept log has no line %q:\n%s", line, log)
		}
	}
	if condition := build.Status.Conditions[0]; condition.Status != "True" || condition.Reason != v1alpha1.ReasonPushed || condition.ObservedGeneration != build.Generation {
		t.Errorf("condition %+v", condition)
	}
	w.settled()
	latest := &v1alpha1.LatestBuild{Name: "app-7", Number: 7, Phase: v1alpha1.PhaseSucceeded, CreationTime: build.CreationTimestamp, Digest: build.Status.Digest}
	w.eventually("the image tells of its latest build", func() bool { return cmp.Equal(latest, w.latest(image)) })
}

// TestLogIsKept: every line of a long log is there when the pod is gone, numbered from 1.
func TestLogIsKept(t *testing.T) {
	const printed = 20_000
	w := newWorld(t)
	w.run()
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("print", fmt.Sprintf(`["/helper", "print", "%d"]`, printed))
	})
	build := w.await(w.build(image, 1), "ended", ended)
	w.nothingRuns()
	lines := strings.Split(strings.TrimSuffix(w.log(build), "\n"), "\n")
	if kept := build.Status.Log; int64(len(lines)) != kept.Lines || kept.FirstLine != 1 {
		t.Errorf("%d lines kept, the status says %+v", len(lines), kept)
	}
	first := slices.Index(lines, "line 1")
	if first < 0 || len(lines) < first+printed {
		t.Fatalf("line 1 of %d is at %d of %d; the last is %q", printed, first, len(lines), lines[len(lines)-1])
	}
	for i := range printed {
		if want := fmt.Sprintf("line %d", i+1); lines[first+i] != want {
			t.Fatalf("line %d of the log is %q, want %q", first+i+1, lines[first+i], want)
		}
	}
}

// TestBuildEnds causes each way in which a build's pod can end.
func TestBuildEnds(t *testing.T) {
	w := newWorld(t)
	w.plan(map[string]string{"images": "100"})
	w.run()
	eat := w.git.runs("eat", `["/helper", "eat", "2000"]`)
	sleep := w.git.runs("sleep", `["/helper", "sleep", "60000"]`)
	fails := w.git.runs("fails", `["/helper", "exit", "3"]`)
	foreign := w.git.runs("foreign", `["/nothing", "exit", "0"]`)
	sample := w.git.url("sample")
	commit := w.git.repository("links", map[string]string{
		"Dockerfile": "FROM scratch\nCOPY . /\n", "out": "-> /etc", "file": "-> /etc/passwd", "in": "-> folder", "folder/Dockerfile": "FROM scratch\nCOPY . /\n",
	})
	links := w.git.url("links")

	cases := []struct {
		reason      string
		name        string
		repository  string
		change      func(*v1alpha1.Build)
		destination string
		phase       v1alpha1.BuildPhase
		want        string
		message     string
	}{
		{reason: "a branch with a slash is built", name: "branch", repository: sample, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) { b.Spec.Source.Ref, b.Spec.Tags = "feature/x", []string{"{{.Branch}}"} }},
		{reason: "a branch by its full name is that branch", name: "fullref", repository: sample, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) {
				b.Spec.Source.Ref, b.Spec.Tags = "refs/heads/feature/x", []string{"{{.Branch}}"}
			}},
		{reason: "a tag is built", name: "tag", repository: sample, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) { b.Spec.Source.Ref, b.Spec.Tags = "v1.0", []string{"{{.Tag}}"} }},
		{reason: "a commit is built, also by a short name", name: "commit", repository: links, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) {
				b.Spec.Source.Ref, b.Spec.Tags = commit[:9], []string{"{{.ShortCommit}}", "{{.Branch}}"}
			}},
		{reason: "a commit that its branch moved on from is built, and the branch names the tag", name: "earlier", repository: links, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) {
				b.Spec.Source.Ref, b.Spec.Commit, b.Spec.Tags = "feature/x", commit, []string{"{{.Branch}}"}
			}},
		{reason: "a commit is built whose branch is gone", name: "nobranch", repository: links, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) { b.Spec.Source.Ref, b.Spec.Commit = "gone", commit }},
		{reason: "a commit that is gone", name: "gonecommit", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonCloneFailed, message: "no commit " + strings.Repeat("0a", 20),
			change: func(b *v1alpha1.Build) { b.Spec.Commit = strings.Repeat("0a", 20) }},
		{reason: "a link within the repository is followed", name: "linkin", repository: links, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) { b.Spec.Source.Context = "in" }},
		{reason: "a context that leads out of the repository is none", name: "linkout", repository: links, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonDockerfileMissing, message: "no folder out",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Context = "out" }},
		{reason: "a Dockerfile that leads out of the repository is none", name: "linkfile", repository: links, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonDockerfileMissing, message: "no file file",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Dockerfile = "file" }},
		{reason: "no tag has a value", name: "notag", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonBuildFailed, message: "None of the image's tags",
			change: func(b *v1alpha1.Build) { b.Spec.Tags = []string{"{{.Tag}}"} }},
		{reason: "there is no such repository", name: "norepo", repository: w.git.url("none"), phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonCloneFailed, message: "not found"},
		{reason: "there is no such ref", name: "noref", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonCloneFailed, message: "no branch, tag or commit nowhere",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Ref = "nowhere" }},
		{reason: "there is no such commit", name: "nocommit", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonCloneFailed, message: "no branch, tag or commit",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Ref = strings.Repeat("0a", 20) }},
		{reason: "there is no such Dockerfile", name: "nofile", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonDockerfileMissing, message: "no file Other",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Dockerfile = "Other" }},
		{reason: "there is no such context", name: "nocontext", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonDockerfileMissing, message: "no folder sub",
			change: func(b *v1alpha1.Build) { b.Spec.Source.Context = "sub" }},
		{reason: "a step fails", name: "fails", repository: fails, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonBuildFailed, message: "exit status 3"},
		{reason: "the registry knows nobody", name: "denied401", repository: sample, destination: denying(t, 401), phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonPushDenied, message: "did not take"},
		{reason: "the registry forbids", name: "denied403", repository: sample, destination: denying(t, 403), phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonPushDenied, message: "did not take"},
		{reason: "it runs too long", name: "timeout", repository: sleep, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonTimeout, message: "4s",
			change: func(b *v1alpha1.Build) { b.Spec.Limits.TimeoutSeconds = 4 }},
		{reason: "it needs too much memory", name: "memory", repository: eat, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonOutOfMemory, message: "256Mi",
			change: func(b *v1alpha1.Build) { b.Spec.Limits.Memory = resource.MustParse("256Mi") }},
		{reason: "the strategy cannot build for the platform", name: "platform", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonPlatformUnsupported, message: "plan9/mips",
			change: func(b *v1alpha1.Build) { b.Spec.Platforms = []string{"plan9/mips"} }},
		{reason: "several platforms are one index", name: "platforms", repository: sample, phase: v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			change: func(b *v1alpha1.Build) { b.Spec.Platforms = []string{"linux/amd64", "linux/arm64"} }},
		{reason: "a step for a platform that this node cannot run", name: "foreign", repository: foreign, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonPlatformUnsupported, message: "linux/s390x would need others",
			change: func(b *v1alpha1.Build) { b.Spec.Platforms = []string{"linux/s390x"} }},
		{reason: "no minutes are left", name: "quota", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonQuotaExceeded, message: "choose a larger plan",
			change: func(b *v1alpha1.Build) { b.Spec.Limits.BuildMinutes = new(int64(0)) }},
		{reason: "no pod can start in time", name: "pending", repository: sample, phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonTimeout, message: "No pod started",
			change: func(b *v1alpha1.Build) {
				b.Spec.Limits.TimeoutSeconds, b.Spec.Limits.CPU = 2, resource.MustParse("8000")
			}},
	}
	t.Run("each", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.reason, func(t *testing.T) {
				t.Parallel()
				w := w.in(t)
				image := w.image(c.name, func(image *v1alpha1.Image) {
					image.Spec.Source.Repository = c.repository
					if c.destination != "" {
						image.Spec.Destination = c.destination + "/app"
					}
				})
				if c.change == nil {
					c.change = func(*v1alpha1.Build) {}
				}
				build := w.await(w.build(image, 1, c.change), "billed", billed)
				status := build.Status
				if status.Phase != c.phase || status.Reason != c.want || !strings.Contains(status.Message, c.message) {
					t.Errorf("got %s, %s, %q; want %s, %s, %q", status.Phase, status.Reason, status.Message, c.phase, c.want, c.message)
				}
				if asked := build.Spec.Commit; asked != "" && c.phase == v1alpha1.PhaseSucceeded && status.Commit != asked {
					t.Errorf("built %s, want %s", status.Commit, asked)
				}
				if (status.Digest != "") != (c.phase == v1alpha1.PhaseSucceeded) {
					t.Errorf("digest %q", status.Digest)
				}
				if started := status.StartTime != nil; started != (status.Log != nil && status.Log.Lines > 0) {
					t.Errorf("started %v, log %+v", started, status.Log)
				}
			})
		}
	})
	w.settled()
}
