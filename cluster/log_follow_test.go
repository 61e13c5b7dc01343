package cluster

import (
	"slices"
	"testing"

	"drydock.dev/drydock/api/v1alpha1"
)

// A follow that begins again behind lines that it never read, as they were kept meanwhile,
// says that they are not in memory, to whoever reads wherever.
func TestFollowBeginsAgain(t *testing.T) {
	numbers := func(lines []v1alpha1.LogLine) (found []int64) {
		for _, line := range lines {
			found = append(found, line.Number)
		}
		return found
	}
	for _, test := range []struct {
		reason string
		kept   int64 // lines, when it begins again behind the 5 that it read
		next   int64
		want   []int64
		behind bool
	}{
		{"lines 6 to 8 were rotated away: who waits for the first of them reads what is kept", 8, 6, nil, true},
		{"who read them elsewhere goes on", 8, 9, []int64{9}, false},
		{"who is within them reads what is kept", 8, 7, nil, true},
		{"less is kept than was read: nothing is missing", 3, 4, []int64{4, 5, 6, 7, 8, 9}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			f := &follow{changed: make(chan struct{})}
			read := func(from, to int64) {
				f.begin(from - 1)
				for number := from; number <= to; number++ {
					f.add(v1alpha1.LogLine{Number: number})
				}
			}
			read(1, 5)
			read(test.kept+1, 9)
			lines, _, _, behind := f.from(test.next)
			if got := numbers(lines); !slices.Equal(got, test.want) || behind != test.behind {
				t.Errorf("from line %d: lines %v, behind: %v", test.next, got, behind)
			}
		})
	}
}
