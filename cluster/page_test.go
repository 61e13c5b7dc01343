package cluster

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// listed gives places in their order, with their names as the items.
func listed(places []place) iter.Seq2[place, string] {
	places = slices.Clone(places)
	slices.SortFunc(places, place.compare)
	return func(yield func(place, string) bool) {
		for _, p := range places {
			if !yield(p, p.name) {
				return
			}
		}
	}
}

func TestPaginate(t *testing.T) {
	up := []place{{name: "b", time: 2}, {name: "a", time: 2}, {name: "none", last: true}, {name: "c", time: 1}}
	down := slices.Clone(up)
	for i := range down {
		down[i].down = true
	}
	for _, test := range []struct {
		reason string
		places []place
		want   []string
	}{
		{"ascending: by time, then name, items without a time last", up, []string{"c", "a", "b", "none"}},
		{"descending: the other way round, items without a time still last", down, []string{"b", "a", "c", "none"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			for size := 1; size <= 5; size++ {
				var got []string
				for page := (model.Page{First: size}); ; {
					slice, err := paginate("list", test.places[0].down, page, listed(test.places))
					if err != nil {
						t.Fatal(err)
					}
					if slice.Total != 4 || slice.HasPrevious != (len(got) > 0) || slice.HasNext != (len(got)+len(slice.Items) < 4) {
						t.Errorf("pages of %d, after %v: total %d, previous %v, next %v", size, got, slice.Total, slice.HasPrevious, slice.HasNext)
					}
					got = append(got, slice.Items...)
					if !slice.HasNext {
						break
					}
					page.After = slice.Cursors[len(slice.Cursors)-1]
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("pages of %d (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

func TestCursorStaysGood(t *testing.T) {
	before := []place{{name: "a"}, {name: "b"}, {name: "c"}, {name: "e"}}
	first, err := paginate("list", false, model.Page{First: 2}, listed(before))
	if err != nil {
		t.Fatal(err)
	}
	after := []place{{name: "a"}, {name: "aa"}, {name: "c"}, {name: "d"}, {name: "e"}} // b went, aa and d came
	second, err := paginate("list", false, model.Page{First: 2, After: first.Cursors[1]}, listed(after))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c", "d"}, second.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPaginateRefuses(t *testing.T) {
	other := place{name: "a"}.cursor("other")
	for _, test := range []struct {
		reason string
		page   model.Page
	}{
		{"no items asked for", model.Page{First: 0}},
		{"fewer than none", model.Page{First: -1}},
		{"too many", model.Page{First: model.MaxPage + 1}},
		{"text that is no cursor", model.Page{First: 1, After: "tomorrow"}},
		{"another list's cursor", model.Page{First: 1, After: other}},
		{"a cursor with a time that is none", model.Page{First: 1, After: model.EncodeCursor("list", "false", "noon", "1", "a")}},
		{"a cursor of too few parts", model.Page{First: 1, After: model.EncodeCursor("list", "a")}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := paginate("list", false, test.page, listed(nil))
			if fault.KindOf(err) != fault.BadUserInput {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRecord(t *testing.T) {
	annotation := ""
	for i := range 20 {
		annotation = record(annotation, mutationHash(fmt.Sprint(i)), fmt.Sprint("uid", i))
	}
	for _, test := range []struct {
		reason, id, note string
		ok               bool
	}{
		{"the newest is known", "19", "uid19", true},
		{"the oldest within the bound is known", "4", "uid4", true},
		{"older ones were dropped", "3", "", false},
		{"one that never was is not known", "x", "", false},
		{"no id is not known", "", "", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if note, ok := recorded(annotation, mutationHash(test.id)); note != test.note || ok != test.ok {
				t.Errorf("got %q, %v", note, ok)
			}
		})
	}
}
