package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Stream is one subscription. It ends with the context it was opened with.
type Stream interface {
	// Next waits for an event and decodes its data; io.EOF when the subscription is complete.
	Next(data any) error
	// Close ends the subscription.
	Close() error
}

// SSE subscribes over server-sent events: graphql-sse, distinct connections mode
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
func (c *Client) SSE(ctx context.Context, subscription Request) (Stream, error) {
	body, err := json.Marshal(subscription)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("status %d, %s in place of an event stream: %s", response.StatusCode, kind, text)
	}
	return &eventStream{body: response.Body, lines: bufio.NewReader(response.Body)}, nil
}

type eventStream struct {
	body  io.Closer
	lines *bufio.Reader
}

func (s *eventStream) Close() error { return s.body.Close() }

// Next reads up to an event's end, an empty line. Comments keep the connection alive and say nothing. A stream that is
// cut off before its complete event is io.ErrUnexpectedEOF.
func (s *eventStream) Next(data any) error {
	event, payload := "", ""
	for {
		line, err := s.lines.ReadString('\n')
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		switch value = strings.TrimPrefix(value, " "); {
		case field == "event":
			event = value
		case field == "data":
			payload += value
		case line == "\n" && event == "next":
			return decode([]byte(payload), data)
		case line == "\n" && event == "complete":
			return io.EOF
		}
	}
}
