package model

// Node is anything that has a global id.
type Node interface {
	IsNode()
	// GetID is the global id.
	GetID() string
}
