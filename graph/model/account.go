package model

import "time"

// Account is a user: a Stripe customer, known by GitHub login.
type Account struct {
	// Login is the GitHub login, lower case.
	Login string
	// CustomerID is the Stripe customer: cus_...
	CustomerID string
	// GithubID is GitHub's number of the user; 0 where unknown.
	GithubID  int64
	Email     *string
	CreatedAt time.Time
	Role      Role
	// TokenEpoch ends all access tokens of an earlier epoch.
	TokenEpoch int64
	// PlanID is the Stripe product of the subscription; empty without one, then
	// the default plan holds.
	PlanID       string
	Subscription *BillingSubscription
}

// IsNode marks an account as having a global id.
func (*Account) IsNode() {}

// ID is the account's global id.
func (a *Account) ID() string { return EncodeID(KindAccount, a.Login) }

// GetID serves gqlgen's Node interface.
func (a *Account) GetID() string { return a.ID() }

// Owner is whose images and builds they are, and who pays: a login as one customer. Who
// has the login later is another.
type Owner struct {
	Login string
	// CustomerID is the account at Stripe; the login's of now where empty.
	CustomerID string
}

// Owner is the account as an owner.
func (a *Account) Owner() Owner { return Owner{a.Login, a.CustomerID} }

// IsAdmin tells whether the account may see other accounts.
func (a *Account) IsAdmin() bool { return a.Role == RoleAdmin }

// Identity is who signs up, as GitHub says.
type Identity struct {
	// Login is the GitHub login, in any case.
	Login string
	// GithubID is GitHub's number of the user; 0 where unknown.
	GithubID int64
	// Email is empty where unknown.
	Email string
}
