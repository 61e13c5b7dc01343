package cluster

import (
	"cmp"
	"iter"
	"strconv"
	"strings"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// place is where an item stands in a list: what it is sorted by, as values, so that a
// cursor made of it stays good when items come and go.
type place struct {
	// last sends an item without a time to the end, whichever way the list runs.
	last   bool
	time   int64 // Unix seconds
	number int
	name   string
	// down: the list runs from the largest to the smallest.
	down bool
}

func (p place) compare(q place) int {
	if p.last != q.last {
		if p.last {
			return 1
		}
		return -1
	}
	order := cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.number, q.number), strings.Compare(p.name, q.name))
	if p.down {
		return -order
	}
	return order
}

func (p place) cursor(list string) string {
	return model.EncodeCursor(list, strconv.FormatBool(p.last), strconv.FormatInt(p.time, 10), strconv.Itoa(p.number), p.name)
}

// placeAt reads a cursor of a list.
func placeAt(cursor, list string, down bool) (p place, err error) {
	parts, ok := model.DecodeCursor(cursor, list, 4)
	if ok {
		var lastErr, timeErr, numberErr error
		p = place{name: parts[3], down: down}
		p.last, lastErr = strconv.ParseBool(parts[0])
		p.time, timeErr = strconv.ParseInt(parts[1], 10, 64)
		p.number, numberErr = strconv.Atoi(parts[2])
		ok = lastErr == nil && timeErr == nil && numberErr == nil
	}
	if !ok {
		return p, fault.New(fault.BadUserInput,
			"after must be an endCursor or cursor of this very list, with the same orderBy; leave it out to start at the beginning.")
	}
	return p, nil
}

// paginate cuts a page out of items that come in order, each with its place. The
// list's name says which cursors belong to it.
func paginate[T any](list string, down bool, page model.Page, items iter.Seq2[place, T]) (model.Slice[T], error) {
	slice := model.Slice[T]{Items: []T{}, Cursors: []string{}}
	if page.First < 1 || page.First > model.MaxPage {
		return slice, fault.New(fault.BadUserInput, "first must be 1 to %d.", model.MaxPage)
	}
	var after place
	if page.After != "" {
		var err error
		if after, err = placeAt(page.After, list, down); err != nil {
			return slice, err
		}
	}
	for at, item := range items {
		slice.Total++
		switch {
		case page.After != "" && at.compare(after) <= 0:
			slice.HasPrevious = true
		case len(slice.Items) == page.First:
			slice.HasNext = true
		default:
			slice.Items = append(slice.Items, item)
			slice.Cursors = append(slice.Cursors, at.cursor(list))
		}
	}
	return slice, nil
}
