package model

import (
	"encoding/base64"
	"strings"
)

// MaxPage is the largest page that may be asked for, in items.
const MaxPage = 100

// Page asks for the First items after a cursor; an empty After asks for the start.
// Both are as the client sent them, checked by whoever serves the page.
type Page struct {
	First int
	After string
}

// Slice is one page of a list.
type Slice[T any] struct {
	Items []T
	// Cursors name the place behind each item, one per item.
	Cursors []string
	// Total is the number of items in the whole list; -1 where nobody counts them.
	Total int
	// HasNext tells whether items follow, HasPrevious whether some came before.
	HasNext, HasPrevious bool
}

// EncodeCursor makes an opaque cursor of the list's name and the sort key of an
// item. It stays good when items come and go: it is a value, not an offset.
func EncodeCursor(list string, sortKey ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\x00" + strings.Join(sortKey, "\x00")))
}

// DecodeCursor gives the sort key back. ok is false for another list's cursor, for
// another number of parts and for text that EncodeCursor did not make.
func DecodeCursor(cursor, list string, parts int) (sortKey []string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	all := strings.Split(string(raw), "\x00")
	if len(all) != parts+1 || all[0] != list {
		return nil, false
	}
	return all[1:], true
}
