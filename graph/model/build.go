package model

import "time"

// Build is one run of an image definition.
type Build struct {
	Key Key
	// ImageKey and ImageUID name the image that the build is of; it may be gone.
	ImageKey Key
	ImageUID string
	Number   int
	Phase    BuildPhase
	Reason   *string
	Message  *string
	Trigger  BuildTrigger
	// TriggerTime is when what started it happened; nil where nobody told.
	TriggerTime *time.Time
	// Ref is the branch, tag or commit that was asked for.
	Ref string
	// TriggeredBy is nil where there is nothing to say.
	TriggeredBy *string
	Commit      *string
	Digest      *string
	References  []string
	QueuedAt    time.Time
	StartedAt   *time.Time
	FinishedAt  *time.Time
	// BilledSeconds is what Stripe was told; nil until it was.
	BilledSeconds *int
	// WebhookDelivery is nil where the image had no webhook when the build ended.
	WebhookDelivery *WebhookDelivery
	// Version orders the states of one build: Kubernetes' resourceVersion.
	Version string
}

// IsNode marks a build as having a global id.
func (*Build) IsNode() {}

// ID is the build's global id.
func (b *Build) ID() string { return EncodeID(KindBuild, b.Key.Login, b.Key.Name) }

// GetID serves gqlgen's Node interface.
func (b *Build) GetID() string { return b.ID() }

// DurationSeconds is how long the build ran, in whole seconds, at least one; nil before
// it ended and for builds that never ran.
func (b *Build) DurationSeconds() *int {
	if b.StartedAt == nil || b.FinishedAt == nil {
		return nil
	}
	seconds := max(1, int(b.FinishedAt.Sub(*b.StartedAt).Seconds()))
	return &seconds
}

// Done tells whether the phase is final.
func (p BuildPhase) Done() bool {
	return p == BuildPhaseSucceeded || p == BuildPhaseFailed || p == BuildPhaseCancelled
}

// BuildStart is what it takes to start a build.
type BuildStart struct {
	Image Key
	// CustomerID is who pays, see Owner.
	CustomerID string
	// Ref overrides the image's own where not empty.
	Ref string
	// Commit is built where not empty; the ref then only names its branch or tag.
	Commit  string
	Trigger BuildTrigger
	// TriggeredBy says in a line what started it, TriggerTime when that happened; either
	// may be empty.
	TriggeredBy string
	TriggerTime time.Time
	// Plan is the account's plan as of now: the build keeps its limits.
	Plan *Plan
	// ClientMutationID makes the start idempotent where not empty.
	ClientMutationID string
}

// Validate says all that is wrong with a start.
func (s *BuildStart) Validate() []Problem {
	var p problems
	if s.Ref != "" {
		p.ref("ref", s.Ref)
	}
	p.mutationID(s.ClientMutationID)
	return p
}
