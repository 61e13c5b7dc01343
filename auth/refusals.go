package auth

import (
	"sync"
	"time"

	"drydock.dev/drydock/graph/model"
)

const (
	// refusedFor is how long a refusal serves without another look at the account.
	refusedFor = 30 * time.Second
	// maxRefusals bounds the memory of them.
	maxRefusals = 10_000
)

// refusals remembers who was refused by an account as it was just then, so that whoever
// comes again and again with what does not hold costs nothing.
type refusals struct {
	mu    sync.Mutex
	until map[refusal]time.Time
}

// refusal is what a viewer shows, and what an account says to it.
type refusal struct {
	login       string
	shown, held identity
}

type identity struct {
	customerID      string
	githubID, epoch int64
}

func refusalOf(viewer Viewer, account *model.Account) refusal {
	shown := identity{customerID: viewer.CustomerID, githubID: viewer.GithubID}
	if viewer.Token != nil {
		shown.epoch = viewer.Token.epoch
	}
	return refusal{viewer.Login, shown, identity{account.CustomerID, account.GithubID, account.TokenEpoch}}
}

func (r *refusals) known(viewer Viewer, account *model.Account, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until[refusalOf(viewer, account)])
}

func (r *refusals) add(viewer Viewer, account *model.Account, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil || len(r.until) >= maxRefusals {
		r.until = map[refusal]time.Time{}
	}
	r.until[refusalOf(viewer, account)] = now.Add(refusedFor)
}
