package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
)

// What makes writes idempotent: hashes of clientMutationIDs, kept on the objects that
// they changed, the newest ones.
const (
	// annotationCreate, on an Image: the mutation that created it.
	annotationCreate = "drydock.dev/create-mutation"
	// annotationUpdates, on an Image: the newest mutations that changed it.
	annotationUpdates = "drydock.dev/update-mutations"
	// annotationDeletes, on a Namespace: the newest mutations that deleted an image,
	// each with the image's UID.
	annotationDeletes = "drydock.dev/delete-mutations"
	// keptMutations is how many are kept.
	keptMutations = 16
)

// mutationHash is a short form of a clientMutationID; empty for an empty one.
func mutationHash(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// hashOf is the mutationHash of an optional id.
func hashOf(id *string) string {
	if id == nil {
		return ""
	}
	return mutationHash(*id)
}

// hashOfKind is the hashOf of a mutation of another kind than an image's update: one id may
// name one mutation of each kind.
func hashOfKind(kind string, id *string) string {
	if hashOf(id) == "" {
		return ""
	}
	return mutationHash(kind + " " + *id)
}

// recorded looks a mutation up in an annotation, and gives what was noted with it.
func recorded(annotation, hash string) (note string, ok bool) {
	for entry := range strings.SplitSeq(annotation, ",") {
		if got, note, _ := strings.Cut(entry, "="); got == hash && hash != "" {
			return note, true
		}
	}
	return "", false
}

// record adds a mutation to an annotation, and drops the oldest beyond the bound.
func record(annotation, hash, note string) string {
	entry := hash
	if note != "" {
		entry += "=" + note
	}
	if annotation == "" {
		return entry
	}
	entries := append(strings.Split(annotation, ","), entry)
	return strings.Join(entries[max(0, len(entries)-keptMutations):], ",")
}

// noteUpdate notes on an image that a mutation changes it, and tells whether it did before.
// A mutation without an id never did, and leaves no note.
func noteUpdate(image *v1alpha1.Image, hash string) (before bool) {
	notes := image.Annotations[annotationUpdates]
	if _, before = recorded(notes, hash); !before && hash != "" {
		metav1.SetMetaDataAnnotation(&image.ObjectMeta, annotationUpdates, record(notes, hash, ""))
	}
	return before
}

// again runs a read-change-write until no other writer came in between, for a bounded
// number of times.
func again(ctx context.Context, write func() error) error {
	const attempts = 12
	pause := 5 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := write()
		if !apierrors.IsConflict(err) {
			return err
		}
		if attempt == attempts {
			return fault.Wrap(fault.Conflict, err)
		}
		select {
		case <-ctx.Done():
			return translate(ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, 500*time.Millisecond)
		}
	}
}
