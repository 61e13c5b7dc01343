package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// lookBases is how often it is looked which images are to be built anew, at the longest.
// It costs requests where there is news alone.
const lookBases = 20 * time.Second

// bases builds images anew when what they were made from moved. The leader alone does. What
// is held here is safe to lose: a build's name says which move it is of.
type bases struct {
	launcher
	polls *polls
	left  map[types.UID]leftOut // by image
}

// leftOut is a build that might not be started, for a reason of the account's.
type leftOut struct {
	identity, words string
	until           time.Time
}

// based is an image, and the build that tells what it is made from.
type based struct {
	image *v1alpha1.Image
	build *v1alpha1.Build // the newest successful one; nil where there is none, or nobody is to watch
	busy  bool            // another build is on its way, and will tell anew
}

// NeedLeaderElection serves the manager.
func (b *bases) NeedLeaderElection() bool { return true }

// Start runs until the context ends.
func (b *bases) Start(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := b.look(ctx); err != nil && ctx.Err() == nil {
			b.log.Error("base images were not looked after", "error", err)
		}
		timer.Reset(min(lookBases, b.polls.every))
	}
}

// look asks for the base images that are due, and goes through the images.
func (b *bases) look(ctx context.Context) error {
	images, err := b.images(ctx)
	if err != nil {
		return err
	}
	wanted, left := map[string]bool{}, map[types.UID]leftOut{}
	for _, one := range images {
		for _, base := range one.bases() {
			wanted[base.Reference] = wanted[base.Reference] || base.Digest != ""
		}
		if out, ok := b.left[one.image.UID]; ok {
			left[one.image.UID] = out
		}
	}
	b.left = left
	b.polls.run(ctx, wanted)
	for _, one := range images {
		if err := b.visit(ctx, one); err != nil && ctx.Err() == nil {
			b.log.Warn("an image's bases were not looked after", "namespace", one.image.Namespace, "image", one.image.Name, "error", err)
		}
	}
	return nil
}

// images are those whose bases are watched, and those that still say something of it.
func (b *bases) images(ctx context.Context) ([]based, error) {
	var list v1alpha1.ImageList
	if err := b.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var found []based
	for i := range list.Items {
		one := based{image: &list.Items[i]}
		said := one.image.Status.Triggers != nil && one.image.Status.Triggers.BaseImageMessage != ""
		watch := one.image.Spec.Triggers.BaseImage && !one.image.Spec.Suspended && one.image.DeletionTimestamp.IsZero()
		if watch {
			if err := b.newest(ctx, &one); err != nil {
				return nil, err
			}
		}
		if watch || said {
			found = append(found, one)
		}
	}
	return found, nil
}

// newest finds the build that tells what an image is made from.
func (b *bases) newest(ctx context.Context, one *based) error {
	var builds v1alpha1.BuildList
	err := b.List(ctx, &builds, client.InNamespace(one.image.Namespace), client.MatchingFields{byImage: one.image.Name}, client.UnsafeDisableDeepCopy)
	for i := range builds.Items {
		build := &builds.Items[i]
		if build.Spec.Image.UID != string(one.image.UID) {
			continue
		}
		one.busy = one.busy || !build.Status.Phase.Done()
		if build.Status.Phase == v1alpha1.PhaseSucceeded && build.Status.CompletionTime != nil && (one.build == nil || build.Spec.Number > one.build.Spec.Number) {
			one.build = build
		}
	}
	return err
}

// bases are what the build was made from, without what it pushed itself: an image that goes on
// from its own last state moves with each build, and would be built without end.
func (o based) bases() []v1alpha1.BaseImage {
	if o.build == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.build.Status.Bases), func(base v1alpha1.BaseImage) bool {
		return slices.Contains(o.build.Status.References, base.Reference) || slices.Contains(o.build.Status.References, base.Reference+":latest")
	})
}

// visit builds an image anew where bases of it moved since the build that tells of them, and
// says what keeps one from being watched.
func (b *bases) visit(ctx context.Context, one based) error {
	var problems, moves []string
	for _, base := range one.bases() {
		now := b.polls.known[base.Reference]
		switch {
		case base.Digest == "":
			problems = append(problems, fmt.Sprintf("The build strategy does not tell which %s it used: it is not watched.", base.Reference))
		case now == nil: // it is named by its digest, and never moves
		case now.problem != "":
			problems = append(problems, now.problem)
		case now.digest != base.Digest && now.asked.After(one.build.Status.CompletionTime.Time):
			moves = append(moves, fmt.Sprintf("%s moved from %.19s to %.19s", base.Reference, base.Digest, now.digest))
		}
	}
	if len(moves) > 0 && !one.busy {
		slices.Sort(moves)
		refused, err := b.moved(ctx, one, strings.Join(slices.Compact(moves), ", "))
		if err != nil {
			return err
		}
		if refused != "" {
			problems = append(problems, "A base image moved, and no build was started: "+refused)
		}
	}
	slices.Sort(problems)
	return b.observe(ctx, one.image, func(status *v1alpha1.TriggersStatus) {
		status.BaseImageMessage = clip(strings.Join(slices.Compact(problems), " "))
	})
}

// moved starts the one build of some moves since another one, and says why none may be. That
// is asked of billing as seldom as registries are.
func (b *bases) moved(ctx context.Context, one based, moves string) (refused string, err error) {
	identity := "base/" + string(one.build.UID) + "/" + moves
	if out := b.left[one.image.UID]; out.identity == identity && b.now().Before(out.until) {
		return out.words, nil
	}
	now := b.now()
	refused, err = b.launch(ctx, one.image, identity, model.BuildStart{
		Trigger: model.BuildTriggerBaseImage, TriggeredBy: "base image " + moves, TriggerTime: now.Truncate(time.Second),
	})
	if refused != "" {
		b.left[one.image.UID] = leftOut{identity, refused, now.Add(b.polls.every)}
	}
	return refused, err
}
