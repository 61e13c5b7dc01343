package model

import (
	"net/url"
	"unicode/utf8"
)

// maxURL bounds a webhook's address, in characters.
const maxURL = 2048

// Validate says all that is wrong with a webhook, but for where its host is.
func (in *SetWebhookInput) Validate() []Problem {
	var p problems
	at, err := url.Parse(in.URL)
	right := err == nil && (at.Scheme == "https" || at.Scheme == "http") && at.Hostname() != "" && at.User == nil && at.Fragment == "" &&
		utf8.RuneCountInString(in.URL) <= maxURL && legalToken.MatchString(in.URL)
	p.check(right, "url", "must be a web address such as https://host/path, without a user and a fragment, at most %d characters", maxURL)
	p.mutationID(deref(in.ClientMutationID))
	return p
}
