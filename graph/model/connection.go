package model

// Edge is an item of a list and its place there (Relay).
type Edge[T any] struct {
	Cursor string
	Node   T
}

// Connection is a page of a list as Relay's Cursor Connections shape it.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *PageInfo
	// TotalCount is the number of items in the whole list; -1 where nobody counts
	// them, and such a connection does not show it.
	TotalCount int
}

// Connections and edges by the names that the schema has for them.
type (
	// AccountConnection is a page of accounts.
	AccountConnection = Connection[*Account]
	// AccountEdge is one of accounts in a page.
	AccountEdge = Edge[*Account]
	// ImageConnection is a page of images.
	ImageConnection = Connection[*Image]
	// ImageEdge is one of images in a page.
	ImageEdge = Edge[*Image]
	// BuildConnection is a page of builds.
	BuildConnection = Connection[*Build]
	// BuildEdge is one of builds in a page.
	BuildEdge = Edge[*Build]
)

// NewConnection shapes a slice of a list as a connection.
func NewConnection[T any](slice Slice[T]) *Connection[T] {
	connection := &Connection[T]{
		Edges:      make([]*Edge[T], len(slice.Items)),
		PageInfo:   &PageInfo{HasNextPage: slice.HasNext, HasPreviousPage: slice.HasPrevious},
		TotalCount: slice.Total,
	}
	for i, item := range slice.Items {
		connection.Edges[i] = &Edge[T]{Cursor: slice.Cursors[i], Node: item}
	}
	if last := len(slice.Cursors) - 1; last >= 0 {
		connection.PageInfo.StartCursor = &slice.Cursors[0]
		connection.PageInfo.EndCursor = &slice.Cursors[last]
	}
	return connection
}
