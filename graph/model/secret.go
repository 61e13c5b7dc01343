package model

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxSecretKey   = 63
	maxSecretValue = 64 << 10 // bytes
)

// legalSecretKey is what is the name of a file and fits into --mount=type=secret,id=...
var legalSecretKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// Validate says all that is wrong with a build secret. It never repeats the value.
func (in *SetBuildSecretInput) Validate() []Problem {
	var p problems
	p.text("key", in.Key, legalSecretKey, maxSecretKey, "letters, digits and _ . -, beginning with a letter or _")
	p.check(in.Value != "" && len(in.Value) <= maxSecretValue && utf8.ValidString(in.Value) && !strings.Contains(in.Value, "\x00"),
		"value", "must be a text, at most %d bytes", maxSecretValue)
	p.mutationID(deref(in.ClientMutationID))
	return p
}
