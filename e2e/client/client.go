// Package client speaks GraphQL to a gateway the way a browser does: JSON over HTTP, subscriptions over server-sent
// events or WebSocket, the session in a cookie. The end-to-end tests and the load driver share it.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
)

// Client is one browser: it holds the cookies of one session.
type Client struct {
	// URL is the gateway's root, such as http://127.0.0.1:8080. Another replica's may be put here: the session goes along.
	URL  string
	HTTP *http.Client
}

// New is a browser without a session.
func New(url string) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // cookiejar.New has no way to fail: https://pkg.go.dev/net/http/cookiejar#New
	}
	return &Client{URL: url, HTTP: &http.Client{Jar: jar}}
}

// At is the same browser, session included, at another replica.
func (c *Client) At(url string) *Client { return &Client{URL: url, HTTP: c.HTTP} }

// SignIn signs up and in by login alone, through POST /auth/dev.
func (c *Client) SignIn(ctx context.Context, login string) error {
	body, err := json.Marshal(map[string]string{"login": login})
	if err != nil {
		return err
	}
	response, err := c.Send(ctx, http.MethodPost, "/auth/dev", "application/json", body)
	if err != nil {
		return err
	}
	if response.Status >= http.StatusBadRequest {
		return fmt.Errorf("sign in as %q: status %d: %s", login, response.Status, response.Body)
	}
	return nil
}

// Request is one GraphQL operation.
type Request struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
}

// Do runs a query or mutation and decodes its data. Errors of the response are returned as Errors.
func (c *Client) Do(ctx context.Context, request Request, data any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	response, err := c.Send(ctx, http.MethodPost, "/graphql", "application/json", body)
	if err != nil {
		return err
	}
	return response.Decode(data)
}

// Response is a whole HTTP response.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the body as a GraphQL response.
func (r *Response) Decode(data any) error {
	if err := decode(r.Body, data); err != nil {
		return fmt.Errorf("status %d: %w", r.Status, err)
	}
	return nil
}

// Send sends any body to a path of the gateway and reads the whole response.
func (c *Client) Send(ctx context.Context, method, path, contentType string, body []byte) (*Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &Response{Status: response.StatusCode, Header: response.Header, Body: text}, nil
}

// Error is one GraphQL error.
type Error struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// Errors are those of one response.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, each := range e {
		lines[i] = fmt.Sprintf("%s: %s %v", each.Extensions.Code, each.Message, each.Path)
	}
	return strings.Join(lines, "; ")
}

// decode reads a GraphQL response (spec, section 7) into data; its errors are returned as Errors.
func decode(body []byte, data any) error {
	var response struct {
		Data   json.RawMessage
		Errors Errors
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("not a GraphQL response: %w: %.200s", err, body)
	}
	if len(response.Errors) > 0 {
		return response.Errors
	}
	if data == nil {
		return nil
	}
	return json.Unmarshal(response.Data, data)
}
