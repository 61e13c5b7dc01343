package model

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// ImageTriggers say what starts builds of an image besides people.
type ImageTriggers struct {
	Push bool
	// Schedule is nil without one.
	Schedule  *string
	BaseImage bool
	// LastRunAt is when the newest run was to be.
	LastRunAt *time.Time
	// ScheduleMessage and BaseImageMessage are nil where all is well.
	ScheduleMessage, BaseImageMessage *string
	// Suspended tells that the image is: nothing starts builds of it.
	Suspended bool
	// PushNonce is what the webhook's secret is made of besides keys; "" without a webhook.
	PushNonce string
}

// NextRunAt is when the schedule starts the next build after a time; nil for never.
func (t *ImageTriggers) NextRunAt(now time.Time) *time.Time {
	if t.Schedule == nil || t.Suspended {
		return nil
	}
	schedule, err := ParseSchedule(*t.Schedule)
	if err != nil {
		return nil
	}
	next := schedule.Next(now)
	return &next
}

// PushIdentity is whom the secret of an image's webhook is for; "" without a webhook.
func (i *Image) PushIdentity() string {
	if i.Triggers == nil || !i.Triggers.Push || i.Triggers.PushNonce == "" {
		return ""
	}
	return i.UID + "/" + i.Triggers.PushNonce
}

// PushNonce is what a mutation makes of the nonce of an image's webhook: the same
// mutation again shows the same secret.
func PushNonce(mutationID string) string {
	sum := sha256.Sum256([]byte("push/" + mutationID))
	return hex.EncodeToString(sum[:12])
}

// Rotation is the mutation of an id that makes another nonce: an id may have named before
// the one that turned push on, whose secret is to be void.
func Rotation(mutationID string) string { return "rotate/" + mutationID }

func (p *problems) triggers(in *ImageTriggersInput) {
	if in == nil || in.Schedule == nil {
		return
	}
	_, err := ParseSchedule(*in.Schedule)
	p.check(err == nil, "triggers.schedule", "%v", err)
}
