// Package fault is the closed list of ways in which a request can fail: each kind
// is an extensions.code of a GraphQL error, and has words that may be shown to
// anybody. The cause stays inside, for the log.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is a kind of failure; its text is the GraphQL error's extensions.code.
type Kind string

// The kinds of failure.
const (
	// Unauthenticated: nobody is signed in.
	Unauthenticated Kind = "UNAUTHENTICATED"
	// Forbidden: signed in, and not allowed.
	Forbidden Kind = "FORBIDDEN"
	// NotFound: there is no such thing, or it is another account's.
	NotFound Kind = "NOT_FOUND"
	// BadUserInput: what was sent is not legal; the message says what is.
	BadUserInput Kind = "BAD_USER_INPUT"
	// AlreadyExists: the name is taken.
	AlreadyExists Kind = "ALREADY_EXISTS"
	// Conflict: it is not possible in the present state, or it was changed meanwhile.
	Conflict Kind = "CONFLICT"
	// LimitExceeded: the account's plan does not allow more.
	LimitExceeded Kind = "LIMIT_EXCEEDED"
	// RateLimited: an upstream asks to slow down; trying again later helps.
	RateLimited Kind = "RATE_LIMITED"
	// Unavailable: an upstream is down; trying again later helps.
	Unavailable Kind = "UNAVAILABLE"
	// Timeout: the deadline passed.
	Timeout Kind = "TIMEOUT"
	// Internal: a defect of ours.
	Internal Kind = "INTERNAL"
)

// public holds what to tell of a failure that came without words of its own.
var public = map[Kind]string{
	Unauthenticated: "Sign in first.",
	Forbidden:       "You are not allowed to do this.",
	NotFound:        "There is no such thing in this account.",
	BadUserInput:    "The input is not valid.",
	AlreadyExists:   "The name is taken.",
	Conflict:        "It changed meanwhile: read it again, then try once more.",
	LimitExceeded:   "Your plan does not allow more.",
	RateLimited:     "Too many requests just now: try again in a few seconds.",
	Unavailable:     "A service behind this one cannot be reached just now: try again soon.",
	Timeout:         "It took too long: try again, or ask for less.",
	Internal:        "Something went wrong on our side; the request id helps us to find it.",
}

// Error is a failure of a known kind.
type Error struct {
	Kind Kind
	// Message may be shown to anybody; empty means the kind's own words.
	Message string
	// Cause is for the log alone.
	Cause error
}

// New is a failure with words for the user: say what to do.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap is a failure with a cause that only the log sees, and the kind's own words.
func Wrap(kind Kind, cause error) *Error { return &Error{Kind: kind, Cause: cause} }

// Error is what the log shows: kind, words, cause.
func (e *Error) Error() string {
	text := string(e.Kind) + ": " + e.Public()
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Public is what anybody may read.
func (e *Error) Public() string {
	if e.Message != "" {
		return e.Message
	}
	return public[e.Kind]
}

// KindOf is the kind of any error: deadlines are Timeout, what nobody named is Internal.
func KindOf(err error) Kind {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	default:
		return Internal
	}
}

// PublicOf is what anybody may read of any error.
func PublicOf(err error) string {
	var known *Error
	if errors.As(err, &known) {
		return known.Public()
	}
	return public[KindOf(err)]
}
