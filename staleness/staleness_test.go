package staleness_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/staleness"
)

type field struct{}

// TestTell: the nearest hearer is told, in the context of the telling.
func TestTell(t *testing.T) {
	type heard struct {
		By, Field string
		Age       time.Duration
	}
	var got []heard
	hearer := func(name string) staleness.Told {
		return func(ctx context.Context, age time.Duration) {
			at, _ := ctx.Value(field{}).(string)
			got = append(got, heard{name, at, age})
		}
	}
	staleness.Tell(t.Context(), time.Second) // nobody hears it

	response := staleness.With(t.Context(), hearer("response"))
	staleness.Tell(context.WithValue(response, field{}, "plan"), time.Minute)
	staleness.Tell(staleness.With(response, hearer("loader")), time.Hour)
	staleness.Tell(response, -time.Second) // clocks may be set back
	want := []heard{{"response", "plan", time.Minute}, {"loader", "", time.Hour}, {"response", "", 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
