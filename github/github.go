// Package github tells GitHub of commits, and knows where its API is. Signing in by GitHub
// is package auth's.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// APIURL is where the API of a GitHub is: github.com's has a host of its own, an
// Enterprise server's is below /api/v3
// (https://docs.github.com/en/enterprise-server/rest/enterprise-admin).
func APIURL(base string) string {
	if at, err := url.Parse(base); err == nil && strings.EqualFold(at.Hostname(), "github.com") {
		return "https://api.github.com"
	}
	return strings.TrimRight(base, "/") + "/api/v3"
}

// maxDescription is how long a status' description may be, in characters.
const maxDescription = 140

// Client speaks for one token.
type Client struct {
	host, api, token string
	http             *http.Client
}

// New makes a client of the GitHub at a URL, such as https://github.com.
func New(base, token string, client *http.Client) (*Client, error) {
	at, err := url.Parse(base)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("github: no URL: %q", base)
	}
	return &Client{host: strings.ToLower(at.Host), api: APIURL(base), token: token, http: client}, nil
}

// Host is where the repositories are, host[:port].
func (c *Client) Host() string { return c.host }

// State is what a commit's status says: pending, success, failure or error.
type State string

// The states of a commit's status.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
	Errored State = "error"
)

// Status is a commit's status.
type Status struct {
	State State `json:"state"`
	// Context tells it from others' of the commit.
	Context string `json:"context"`
	// Description is a sentence; the rest of a long one is cut off.
	Description string `json:"description,omitempty"`
	// TargetURL is a page that tells more; may be empty.
	TargetURL string `json:"target_url,omitempty"`
}

// RefusedError says that the token may not set statuses of a repository: asking again is
// in vain.
type RefusedError struct{ Code int }

// Error is for people.
func (e *RefusedError) Error() string {
	if e.Code == http.StatusUnauthorized {
		return "GitHub does not take the token of this installation: its operator has to renew --github-token."
	}
	return fmt.Sprintf("GitHub does not let the token of this installation set statuses of this repository's commits (%d): "+
		"give it access to the repository, with the permission to write commit statuses.", e.Code)
}

// BusyError says that GitHub asks to slow down.
type BusyError struct{ Wait time.Duration }

// Error is for the log.
func (e *BusyError) Error() string {
	return fmt.Sprintf("github: asked too often: again in %s", e.Wait)
}

// SetStatus sets the status of a commit of a repository, owner/name. The error is a
// *RefusedError, a *BusyError, or one that may pass.
// GitHub: POST /repos/{owner}/{repo}/statuses/{sha}
// (https://docs.github.com/en/rest/commits/statuses#create-a-commit-status).
func (c *Client) SetStatus(ctx context.Context, repository, commit string, status Status) error {
	if description := []rune(status.Description); len(description) > maxDescription {
		status.Description = string(description[:maxDescription-3]) + "..."
	}
	body, err := json.Marshal(status)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+"/repos/"+repository+"/statuses/"+commit, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("github: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // the status says all
	return verdict(response)
}

// verdict says what an answer means. 403 is also what a limit on requests looks like
// (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).
func verdict(response *http.Response) error {
	limited := response.Header.Get("Retry-After") != "" || response.Header.Get("X-RateLimit-Remaining") == "0"
	switch code := response.StatusCode; {
	case code == http.StatusCreated:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && limited:
		return &BusyError{wait(response.Header)}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusUnprocessableEntity:
		return &RefusedError{code}
	default:
		return errors.New("github: " + response.Status)
	}
}

// wait is how long GitHub asks to wait: a minute where it does not say, an hour at most.
func wait(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 60
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}
