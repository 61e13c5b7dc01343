package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// What may be asked of a new token.
const (
	maxTokenName = 100 // characters
	maxTokenDays = 365
)

// TokenAccounts is where the accounts of tokens are kept. Unknown logins are
// fault.NotFound.
type TokenAccounts interface {
	// Account is the account as it is known. ProvenAccount never gives one from before
	// changes that this replica may have missed: then it is fault.Unavailable while there is
	// no newer one. AccountNow asks for it anew.
	Account(ctx context.Context, login string) (*model.Account, error)
	ProvenAccount(ctx context.Context, login string) (*model.Account, error)
	AccountNow(ctx context.Context, login string) (*model.Account, error)
	// RaiseTokenEpoch gives the account another token epoch; the same key again does
	// nothing more.
	RaiseTokenEpoch(ctx context.Context, login, key string) (*model.Account, error)
	// WatchAccount tells, at once and after every change, that Account may say
	// something new, until the context ends; then the channel is closed.
	WatchAccount(ctx context.Context, login string) (<-chan struct{}, error)
}

// Tokens makes access tokens, and tells whose they are: signed JWTs that hold as long as
// they say and the account's token epoch is theirs. It also tells whether viewers who
// came otherwise still have their accounts.
type Tokens struct {
	keys     *Keys
	accounts TokenAccounts
	now      func() time.Time
	refused  refusals
}

// NewTokens makes tokens that are signed by keys.
func NewTokens(keys *Keys, accounts TokenAccounts, now func() time.Time) *Tokens {
	return &Tokens{keys: keys, accounts: accounts, now: now}
}

// TokenRequest is what a new token is to be.
type TokenRequest struct {
	// Name has 1 to 100 characters.
	Name string
	// Days is how long it lasts, 1 to 365.
	Days     int
	ReadOnly bool
	// Key makes the token's ID the same one again; empty makes a random ID.
	Key string
}

// IssuedToken is a new token.
type IssuedToken struct {
	Token
	// Text is what its owner sends; it is kept nowhere.
	Text    string
	Expires time.Time
}

// Issue makes a token of a login's. What is not legal is fault.BadUserInput.
func (t *Tokens) Issue(ctx context.Context, login string, request TokenRequest) (*IssuedToken, error) {
	name := strings.TrimSpace(request.Name)
	switch length := utf8.RuneCountInString(name); {
	case length < 1 || length > maxTokenName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return nil, fault.New(fault.BadUserInput, "name must have 1 to %d characters, such as \"deploy script\".", maxTokenName)
	case request.Days < 1 || request.Days > maxTokenDays:
		return nil, fault.New(fault.BadUserInput, "expiresInDays is %d: ask for 1 to %d days.", request.Days, maxTokenDays)
	}
	account, err := t.accounts.AccountNow(ctx, login)
	if err != nil {
		return nil, gone(err)
	}
	now := t.now()
	claims := tokenClaims{
		ID: tokenID(login, request.Key), Subject: account.Login, Customer: account.CustomerID, GithubID: account.GithubID, Name: name,
		Scope: scopeWrite, Epoch: account.TokenEpoch, Issued: now.Unix(), Expires: now.AddDate(0, 0, request.Days).Unix(),
	}
	if request.ReadOnly {
		claims.Scope = scopeRead
	}
	text, err := t.keys.sign(claims)
	if err != nil {
		return nil, err
	}
	viewer := claims.viewer()
	return &IssuedToken{Token: *viewer.Token, Text: text, Expires: viewer.Expires}, nil
}

// Revoke ends every token of a login's, on every replica.
func (t *Tokens) Revoke(ctx context.Context, login, key string) error {
	_, err := t.accounts.RaiseTokenEpoch(ctx, login, key)
	return gone(err)
}

// Viewer is whose token it is. One that does not hold is fault.Unauthenticated; where the
// account cannot be read, nobody knows: fault.Unavailable.
func (t *Tokens) Viewer(ctx context.Context, text string) (Viewer, error) {
	claims, err := t.keys.verify(text)
	if err != nil {
		return Viewer{}, &fault.Error{Kind: fault.Unauthenticated, Message: "The access token is none of this installation's, or its key was retired: make a new one.", Cause: err}
	}
	viewer := claims.viewer()
	if !t.now().Before(viewer.Expires) {
		return Viewer{}, fault.New(fault.Unauthenticated, "The access token expired on %s: make a new one.", viewer.Expires.Format(time.DateOnly))
	}
	return viewer, t.Check(ctx, viewer)
}

// gone makes of an unknown account that nobody is signed in.
func gone(err error) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return errNoAccount()
	}
	return err
}

// tokenID is a random ID, or the one of a key.
func tokenID(login, key string) string {
	if key == "" {
		return rand.Text()
	}
	sum := sha256.Sum256([]byte(login + "\x00" + key))
	return base32.StdEncoding.EncodeToString(sum[:])[:26]
}
