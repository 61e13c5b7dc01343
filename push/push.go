package push

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/signing"
)

// maxQueued is how many builds of one image may wait when a push comes. Newer pushes take
// waiting ones' places, so that so many wait only where the controller does not work.
const maxQueued = 100

// recent is how many of an image's newest builds are looked through for a later push.
const recent = 50

// deliveryID is the form of X-GitHub-Delivery.
var deliveryID = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)

// Images is where images are.
type Images interface {
	// Image is fault.NotFound for an unknown key. It costs no request.
	Image(ctx context.Context, key model.Key) (*model.Image, error)
	// Owned is fault.Conflict where what the login has is not this owner's.
	Owned(owner model.Owner) error
}

// Builds is where builds are.
type Builds interface {
	Builds(ctx context.Context, query model.BuildQuery) (model.Slice[*model.Build], error)
	// StartBuild gives the build that the same start made before, where there is one.
	StartBuild(ctx context.Context, start model.BuildStart) (*model.Build, error)
}

// Accounts is where accounts and their plans are.
type Accounts interface {
	Account(ctx context.Context, login string) (*model.Account, error)
	PlanNow(ctx context.Context, account *model.Account) (*model.Plan, error)
}

// Options say where a receiver looks.
type Options struct {
	Images   Images
	Builds   Builds
	Accounts Accounts
	// Keys make the webhooks' secrets; without any nothing is taken.
	Keys *signing.Keys
	Log  *slog.Logger
}

// Receiver takes deliveries.
type Receiver struct{ Options }

// New makes a receiver.
func New(options Options) *Receiver { return &Receiver{options} }

// Delivery is one request of a webhook's.
type Delivery struct {
	// Image is the global id in the address.
	Image string
	// Event, ID and Signature are X-GitHub-Event, X-GitHub-Delivery, X-Hub-Signature-256.
	Event, ID, Signature string
	// ContentType says whether the body is JSON or a form.
	ContentType string
	Body        []byte
}

// Answer is what became of a delivery, in words for the webhook's owner.
type Answer struct {
	// Started tells whether there is a build of it.
	Started bool
	Words   string
}

func ignored(format string, args ...any) (Answer, error) {
	return Answer{Words: "Ignored: " + fmt.Sprintf(format, args...)}, nil
}

// Take takes a delivery. Faults: Unauthenticated where no image's secret signed it, the same
// for an image that is not there; NotFound where there are no keys; BadUserInput for what is
// no push to the image's repository; LimitExceeded and Conflict where the account may not
// build; RateLimited and Unavailable where it is to be sent again.
// Stripe: as a startBuild. Kubernetes: none before the signature fits and a build is due;
// then as StartBuild.
func (r *Receiver) Take(ctx context.Context, d Delivery) (Answer, error) {
	image, err := r.prove(ctx, d)
	if err != nil {
		return Answer{}, err
	}
	switch d.Event {
	case "push":
	case "ping":
		return Answer{Words: fmt.Sprintf("Pong: pushes to %s of %s start builds of %s.", image.Source.Ref, image.Source.Repository, image.Key.Name)}, nil
	default:
		return ignored("of the events of a repository only push starts builds, and this is %q.", d.Event)
	}
	if !deliveryID.MatchString(d.ID) {
		return Answer{}, fault.New(fault.BadUserInput, "The header X-GitHub-Delivery is missing, or not an id.")
	}
	event, err := parse(d.ContentType, d.Body)
	if err != nil {
		return Answer{}, err
	}
	if words, err := r.unwanted(ctx, image, event); err != nil || words != "" {
		if err != nil {
			return Answer{}, err
		}
		return ignored("%s", words)
	}
	return r.start(ctx, image, d, event)
}

// unwanted says why a push starts no build; "" where it does.
func (r *Receiver) unwanted(ctx context.Context, image *model.Image, e *event) (string, error) {
	if !e.of(image.Source.Repository) {
		return "", fault.New(fault.BadUserInput, "This push is to %s, and the image %s is built from %s: correct the webhook's address, or the image's repository.",
			e.Repository.CloneURL, image.Key.Name, image.Source.Repository)
	}
	switch {
	case pinned.MatchString(image.Source.Ref):
		return fmt.Sprintf("the image %s is built from the commit %s, which no push moves.", image.Key.Name, image.Source.Ref), nil
	case !e.moves(image.Source.Ref):
		return fmt.Sprintf("the image %s is built from %s, and this is a push to %s.", image.Key.Name, image.Source.Ref, e.Ref), nil
	case e.Deleted || e.commit() == "":
		return fmt.Sprintf("%s was deleted.", e.Ref), nil
	case image.Suspended:
		return fmt.Sprintf("the image %s is suspended.", image.Key.Name), nil
	}
	builds, err := r.Builds.Builds(ctx, model.BuildQuery{Login: image.Key.Login, Image: image, Page: model.Page{First: recent}})
	if err != nil {
		return "", err
	}
	for _, b := range builds.Items {
		if at := b.TriggerTime; b.Trigger == model.BuildTriggerPush && b.Ref == image.Source.Ref && at != nil && !e.time().IsZero() && at.After(e.time()) {
			return fmt.Sprintf("build %d is of a later push.", b.Number), nil
		}
	}
	return "", nil
}

// start starts the build of a push. The body names it, which a redelivery repeats and the
// signature holds. The delivery's id does not: with another one, who got hold of a signed
// delivery could start builds of it without end.
func (r *Receiver) start(ctx context.Context, image *model.Image, d Delivery, e *event) (Answer, error) {
	waiting, err := r.Builds.Builds(ctx, model.BuildQuery{Login: image.Key.Login, Image: image,
		Phases: []model.BuildPhase{model.BuildPhaseQueued}, Page: model.Page{First: 1}})
	if err != nil {
		return Answer{}, err
	}
	if waiting.Total >= maxQueued {
		return Answer{}, fault.New(fault.RateLimited, "%d builds of %s wait already: send this delivery again when some have begun.", waiting.Total, image.Key.Name)
	}
	account, err := r.Accounts.Account(ctx, image.Key.Login)
	if fault.KindOf(err) == fault.NotFound {
		return Answer{}, fault.New(fault.Conflict, "Nobody pays for builds of %s: there is no account %s any more.", image.Key.Name, image.Key.Login)
	}
	if err != nil {
		return Answer{}, err
	}
	if err := r.Images.Owned(account.Owner()); err != nil {
		return Answer{}, err
	}
	plan, err := r.Accounts.PlanNow(ctx, account)
	if err != nil {
		return Answer{}, err
	}
	b, err := r.Builds.StartBuild(ctx, model.BuildStart{
		Image: image.Key, CustomerID: account.CustomerID, Plan: plan, Ref: image.Source.Ref, Commit: e.commit(),
		Trigger: model.BuildTriggerPush, TriggeredBy: e.String(), TriggerTime: e.time().In(time.UTC),
		ClientMutationID: fmt.Sprintf("%x", sha256.Sum256(d.Body)),
	})
	if err != nil {
		return Answer{}, err
	}
	r.Log.InfoContext(ctx, "a push starts a build", "account", image.Key.Login, "image", image.Key.Name, "build", b.Key.Name, "commit", e.commit(), "delivery", d.ID)
	return Answer{Started: true, Words: fmt.Sprintf("Build %d of %s is of commit %s.", b.Number, image.Key.Name, e.commit())}, nil
}
