package model

import "time"

// Image is an image definition: what to build, from where, and where to push it.
type Image struct {
	Key Key
	// UID tells this image from an earlier one of the same name.
	UID            string
	Source         *GitSource
	Destination    string
	Tags           []string
	BuildArgs      []*KeyValue
	Platforms      []string
	TimeoutSeconds *int
	Suspended      bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// IsNode marks an image as having a global id.
func (*Image) IsNode() {}

// ID is the image's global id.
func (i *Image) ID() string { return EncodeID(KindImage, i.Key.Login, i.Key.Name) }

// GetID serves gqlgen's Node interface.
func (i *Image) GetID() string { return i.ID() }

// Name is the image's name within its account.
func (i *Image) Name() string { return i.Key.Name }
