package model

import "time"

// Image is an image definition: what to build, from where, and where to push it.
type Image struct {
	Key Key
	// UID tells this image from an earlier one of the same name.
	UID         string
	Source      *GitSource
	Destination string
	Tags        []string
	BuildArgs   []*KeyValue
	Platforms   []string
	// Cache: layers are kept for the next build.
	Cache          bool
	TimeoutSeconds *int
	Triggers       *ImageTriggers
	Suspended      bool
	// Public tells whether everybody may see its badge.
	Public bool
	// Webhook is nil where nobody is told of builds' ends.
	Webhook *ImageWebhook
	// GitCredential is nil for a public repository.
	GitCredential *GitCredential
	// BuildSecrets are by key.
	BuildSecrets []*BuildSecret
	CreatedAt    time.Time
	UpdatedAt    time.Time
	// Version orders the states of one image: Kubernetes' resourceVersion.
	Version string
}

// IsNode marks an image as having a global id.
func (*Image) IsNode() {}

// ID is the image's global id.
func (i *Image) ID() string { return EncodeID(KindImage, i.Key.Login, i.Key.Name) }

// GetID serves gqlgen's Node interface.
func (i *Image) GetID() string { return i.ID() }

// Name is the image's name within its account.
func (i *Image) Name() string { return i.Key.Name }

// Validate says all that is wrong with a new image; nothing is when it is empty.
func (in *CreateImageInput) Validate() []Problem {
	var p problems
	p.name(in.Name)
	p.source(in.Source)
	p.destination(in.Destination)
	p.tags(in.Tags)
	p.buildArgs(in.BuildArgs)
	p.platforms(in.Platforms)
	p.triggers(in.Triggers)
	p.timeout(in.TimeoutSeconds)
	p.mutationID(deref(in.ClientMutationID))
	return p
}

// Validate says all that is wrong with a change. Absent fields are right, null is for
// those that have something to go back to.
func (in *UpdateImageInput) Validate() []Problem {
	var p problems
	if source, set := in.Source.ValueOK(); set {
		p.source(source)
	}
	if destination, set := in.Destination.ValueOK(); set {
		p.destination(deref(destination))
	}
	if tags, set := in.Tags.ValueOK(); set && tags != nil {
		p.tags(tags)
	}
	p.buildArgs(in.BuildArgs.Value())
	p.platforms(in.Platforms.Value())
	p.triggers(in.Triggers.Value())
	p.timeout(in.TimeoutSeconds.Value())
	p.mutationID(deref(in.ClientMutationID))
	return p
}
