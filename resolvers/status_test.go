package resolvers_test

import (
	"context"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// finish writes the end of a build, as the controller does: a minute and a quarter
// after its start.
func (h *house) finish(build string, phase model.BuildPhase) {
	h.t.Helper()
	phases := map[model.BuildPhase]v1alpha1.BuildPhase{
		model.BuildPhaseSucceeded: v1alpha1.PhaseSucceeded, model.BuildPhaseCancelled: v1alpha1.PhaseCancelled,
	}
	h.writeStatus(build, func(status *v1alpha1.BuildStatus) {
		end := metav1.Now().Rfc3339Copy()
		start := metav1.NewTime(end.Add(-75 * time.Second))
		status.Phase, status.StartTime, status.CompletionTime = phases[phase], &start, &end
	})
	h.sees(build, func(b *model.Build) bool { return b.Phase == phase })
}

// bill tells Stripe of a build's seconds and notes it on the build, as the
// controller does.
func (h *house) bill(login, build string, seconds int64) {
	h.t.Helper()
	object := h.writeStatus(build, func(*v1alpha1.BuildStatus) {})
	report := model.UsageReport{Login: login, BuildUID: string(object.UID), Seconds: seconds, FinishedAt: object.Status.CompletionTime.Time}
	if err := h.billing.ReportUsage(h.t.Context(), report); err != nil {
		h.t.Fatal(err)
	}
	h.writeStatus(build, func(status *v1alpha1.BuildStatus) {
		status.Billing = &v1alpha1.BuildBilling{Seconds: seconds, ReportTime: metav1.Now()}
	})
}

// writeStatus changes a build's status in Kubernetes, and gives the build.
func (h *house) writeStatus(build string, change func(*v1alpha1.BuildStatus)) *v1alpha1.Build {
	h.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", plane.Kubeconfig)
	if err != nil {
		h.t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		h.t.Fatal(err)
	}
	kubernetes, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		h.t.Fatal(err)
	}
	key := h.keyOf(build)
	object := &v1alpha1.Build{}
	if err := kubernetes.Get(h.t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(key.Login), Name: key.Name}, object); err != nil {
		h.t.Fatal(err)
	}
	before := object.Status.DeepCopy()
	change(&object.Status)
	if cmp.Equal(*before, object.Status) {
		return object
	}
	if err := kubernetes.Status().Update(h.t.Context(), object); err != nil {
		h.t.Fatal(err)
	}
	return object
}

// sees waits until this replica's store shows a build as it should be.
func (h *house) sees(build string, holds func(*model.Build) bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	key := h.keyOf(build)
	states, err := h.cluster.WatchBuilds(ctx, model.BuildSelector{Login: key.Login, Build: key.Name})
	if err != nil {
		h.t.Fatal(err)
	}
	for state := range states {
		if holds(state) {
			return
		}
	}
	h.t.Fatalf("build %s is not as it should be within %v", key.Name, patience)
}
