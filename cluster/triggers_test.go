package cluster_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestScheduleRules holds what kubectl may write: what could be no cron line is refused; one
// that is none all the same is told of in the image's status.
func TestScheduleRules(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	made := create(t, c, newLogin(), "app")
	for _, test := range []struct {
		reason, line string
		legal        bool
	}{
		{"none", "", true},
		{"every day", "@daily", true},
		{"five fields", "*/30 4-6 1,15 * mon-fri", true},
		{"a time zone", "TZ=UTC 0 0 * * *", false},
		{"a line break", "0 0 * * *\n", false},
		{"too long", "0 0 * * 1" + strings.Repeat(",1", 50), false},
	} {
		image := &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace(made.Key.Login), Name: "app"}}
		must(t, w.Get(t.Context(), client.ObjectKeyFromObject(image), image))
		image.Spec.Triggers.Schedule = test.line
		err := w.Update(t.Context(), image, client.DryRunAll)
		if (err == nil) != test.legal || err != nil && !apierrors.IsInvalid(err) {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}
