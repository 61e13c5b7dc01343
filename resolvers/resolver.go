// Package resolvers answers the fields of the schema that are not plain struct
// fields, one short method each, in one file per concept. It declares what it
// needs of others as small interfaces; it knows neither HTTP nor Stripe nor
// Kubernetes.
//
// Whose things a request may see is decided here, at the roots: own.go for ids
// and names, viewer.go for who asks, admin.go for who may see others. Everything
// below a root follows edges of what the root gave out.
package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
)

// Accounts is where accounts and their usage are kept.
type Accounts interface {
	// Account is fault.NotFound for an unknown login.
	Account(ctx context.Context, login string) (*model.Account, error)
	// ProvenAccount is Account, but fault.Unavailable rather than one from before changes
	// that this replica may have missed.
	ProvenAccount(ctx context.Context, login string) (*model.Account, error)
	// Accounts lists all of them, newest first; an Account that was listed costs no
	// read of its own.
	Accounts(ctx context.Context, page model.Page) (model.Slice[*model.Account], error)
	// Usage is an account's metered build time in a billing period.
	Usage(ctx context.Context, login string, period model.UsagePeriod) (*model.Usage, error)
	// WatchAccount gives a token at once, and one after each change that may show in the
	// account, its plan or its usage; it closes the channel when the context ends.
	WatchAccount(ctx context.Context, login string) (<-chan struct{}, error)
}

// Plans is where plans are kept.
type Plans interface {
	// Plans lists all of them, cheapest first.
	Plans(ctx context.Context) ([]*model.Plan, error)
	// Plan is fault.NotFound for an unknown product.
	Plan(ctx context.Context, productID string) (*model.Plan, error)
	// PlanOf is the plan of an account's subscription, or the default plan.
	PlanOf(ctx context.Context, account *model.Account) (*model.Plan, error)
	// PlanNow is PlanOf with the limits as they are at this moment.
	PlanNow(ctx context.Context, account *model.Account) (*model.Plan, error)
}

// Images is where image definitions are kept. A key without an image is
// fault.NotFound.
type Images interface {
	Image(ctx context.Context, key model.Key) (*model.Image, error)
	Images(ctx context.Context, query model.ImageQuery) (model.Slice[*model.Image], error)
	// Owned is fault.Conflict where what the login has is not this owner's.
	Owned(owner model.Owner) error
	// CreateImage is fault.LimitExceeded where the account has limit images already.
	CreateImage(ctx context.Context, owner model.Owner, input model.CreateImageInput, limit int) (*model.Image, error)
	UpdateImage(ctx context.Context, key model.Key, input model.UpdateImageInput) (*model.Image, error)
	DeleteImage(ctx context.Context, key model.Key, clientMutationID string) error
}

// Builds is where builds are kept. A key without a build is fault.NotFound.
type Builds interface {
	Build(ctx context.Context, key model.Key) (*model.Build, error)
	Builds(ctx context.Context, query model.BuildQuery) (model.Slice[*model.Build], error)
	StartBuild(ctx context.Context, start model.BuildStart) (*model.Build, error)
	CancelBuild(ctx context.Context, key model.Key) (*model.Build, error)
	// RetryBuild starts an ended build anew; the start's image, ref and trigger are the build's.
	RetryBuild(ctx context.Context, key model.Key, start model.BuildStart) (*model.Build, error)
}

// Logs is where the output of builds is kept. A key without a build is
// fault.NotFound.
type Logs interface {
	// BuildLog is at most first lines behind the line numbered after.
	BuildLog(ctx context.Context, key model.Key, after, first int) (*model.BuildLog, error)
	// FollowBuildLog sends the lines behind the one numbered after, and closes the
	// channel when the last one is out or the context ends.
	FollowBuildLog(ctx context.Context, key model.Key, after int) (<-chan *model.LogLine, error)
	// FollowBuildLogPieces is the same with many lines at a time.
	FollowBuildLogPieces(ctx context.Context, key model.Key, after int) (<-chan *model.BuildLog, error)
	// SearchBuildLog is at most first lines behind the line numbered after that hold a text.
	SearchBuildLog(ctx context.Context, key model.Key, text string, after, first int) (*model.BuildLogMatches, error)
}

// Watches tells of changes: the present state at once, then every change, until
// the context ends; then the channel is closed. An image or a build that is named
// and is not there is fault.NotFound.
type Watches interface {
	WatchBuilds(ctx context.Context, selector model.BuildSelector) (<-chan *model.Build, error)
	WatchImage(ctx context.Context, key model.Key) (<-chan *model.Image, error)
}

// Options are what the resolvers work with; all of them are needed.
type Options struct {
	Accounts Accounts
	Plans    Plans
	Images   Images
	Builds   Builds
	Logs     Logs
	Watches  Watches
	Tokens   Tokens
	Money    Money
	// Registries and Logins are for registry credentials.
	Registries Registries
	Logins     Logins
	// Git and Repositories are for git credentials.
	Git          GitCredentials
	Repositories Repositories
	Secrets      BuildSecrets
	Webhooks     Webhooks
	// PlanURL is the page of the plans, which pages at Stripe lead back to.
	PlanURL string
	// Triggers are what else starts builds.
	Triggers Triggers
	// BadgeURL is what images' badges are below.
	BadgeURL string
	// Log gets the audit lines: what administrators see, and what happens to tokens
	// and registry credentials.
	Log *slog.Logger
}

// Resolver is the root of all resolvers.
type Resolver struct {
	accounts     Accounts
	plans        Plans
	images       Images
	builds       Builds
	logs         Logs
	watches      Watches
	tokens       Tokens
	money        Money
	registries   Registries
	logins       Logins
	git          GitCredentials
	repositories Repositories
	secrets      BuildSecrets
	webhooks     Webhooks
	log          *slog.Logger

	triggers          Triggers
	planURL, badgeURL string
}

// New makes what graph.NewExecutableSchema takes: the resolvers, and what fields
// cost, for a limit on an operation's complexity.
func New(options Options) graph.Config {
	return graph.Config{
		Resolvers: &Resolver{
			accounts:     options.Accounts,
			plans:        options.Plans,
			images:       options.Images,
			builds:       options.Builds,
			logs:         options.Logs,
			watches:      options.Watches,
			tokens:       options.Tokens,
			money:        options.Money,
			registries:   options.Registries,
			logins:       options.Logins,
			git:          options.Git,
			repositories: options.Repositories,
			secrets:      options.Secrets,
			webhooks:     options.Webhooks,
			log:          options.Log,

			triggers: options.Triggers,
			planURL:  options.PlanURL, badgeURL: options.BadgeURL,
		},
		Complexity: complexity(),
	}
}
