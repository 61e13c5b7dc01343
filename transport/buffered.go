package transport

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Buffered reads each response whole before handing it on, so that a connection that
// breaks in the middle of a body is this try's failure, not the reader's; and so is,
// below 500, a body that is not valid. It is for upstreams whose answers are small and
// never streams. A nil valid takes any body.
func Buffered(next http.RoundTripper, valid func(body []byte) bool) http.RoundTripper {
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
		if valid != nil && response.StatusCode < http.StatusInternalServerError && !valid(body) {
			return nil, fmt.Errorf("the answer, of status %d, is not the upstream's", response.StatusCode)
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, nil
	})
}
