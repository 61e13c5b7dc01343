package cluster

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestBilled holds that whoever keeps usage learns of every build that was metered, once.
func TestBilled(t *testing.T) {
	state := func(name, version string, seconds ...int64) *v1alpha1.Build {
		b := &v1alpha1.Build{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace("ada"), Name: name, UID: "u-1", ResourceVersion: version}}
		b.Spec.Account = "ada"
		for _, s := range seconds {
			b.Status.Billing = &v1alpha1.BuildBilling{Seconds: s}
		}
		return b
	}
	for _, test := range []struct {
		reason string
		states []*v1alpha1.Build
		want   []string
	}{
		{"a build that runs costs nothing yet", []*v1alpha1.Build{state("b", "1"), state("b", "2")}, nil},
		{"its billing is told once", []*v1alpha1.Build{state("b", "1"), state("b", "2", 7), state("b", "3", 7)}, []string{"ada"}},
		{"one that is first seen billed may have been missed", []*v1alpha1.Build{state("b", "2", 7)}, []string{"ada"}},
		{"an older state tells nothing", []*v1alpha1.Build{state("b", "2", 7), state("b", "1")}, []string{"ada"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			subscribers, err := newSubscribers(nil)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			s := newStore(buildKind(func(login string) { told = append(told, login) }), subscribers, time.Now)
			for _, b := range test.states {
				if _, err := s.remember(b); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(told, test.want) {
				t.Errorf("told %v, want %v", told, test.want)
			}
		})
	}
}
