package transport

import (
	"bytes"
	"io"
	"net/http"
)

// Buffered reads each response whole before handing it on, so that a connection that
// breaks in the middle of a body is this try's failure, not the reader's. It is for
// upstreams whose answers are small and never streams.
func Buffered(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, nil
	})
}
