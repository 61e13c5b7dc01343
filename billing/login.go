package billing

import (
	"regexp"
	"strings"

	"drydock.dev/drydock/fault"
)

// legalLogin is what GitHub lets a login be, enterprise-managed users' _ included.
var legalLogin = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,38}$`)

// canonical is a login in lower case.
func canonical(login string) (string, error) {
	lower := strings.ToLower(login)
	if !legalLogin.MatchString(lower) {
		return "", fault.New(fault.BadUserInput, "A login has 1 to 39 letters, digits and hyphens, and begins with no hyphen.")
	}
	return lower, nil
}

// noAccount is what an unknown login gets.
func noAccount() error {
	return fault.New(fault.NotFound, "There is no account of this login.")
}
