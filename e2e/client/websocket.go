package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// subprotocol is graphql-ws's (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).
const subprotocol = "graphql-transport-ws"

// message is any message of the subprotocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// WebSocket subscribes over a WebSocket of its own. When the gateway closes it, Next returns an error of which
// websocket.CloseStatus tells the code.
func (c *Client) WebSocket(ctx context.Context, subscription Request) (Stream, error) {
	payload, err := json.Marshal(subscription)
	if err != nil {
		return nil, err
	}
	url := "ws" + strings.TrimPrefix(c.URL, "http") + "/graphql"
	connection, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: c.HTTP, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	connection.SetReadLimit(1 << 20)
	s := &socket{ctx: ctx, connection: connection}
	if err := s.open(payload); err != nil {
		_ = connection.CloseNow()
		return nil, err
	}
	return s, nil
}

type socket struct {
	ctx        context.Context
	connection *websocket.Conn
}

func (s *socket) open(payload json.RawMessage) error {
	if err := s.write(message{Type: "connection_init"}); err != nil {
		return err
	}
	ack, err := s.read()
	if err != nil {
		return err
	}
	if ack.Type != "connection_ack" {
		return fmt.Errorf("%q in place of connection_ack", ack.Type)
	}
	return s.write(message{ID: "1", Type: "subscribe", Payload: payload})
}

func (s *socket) Next(data any) error {
	for {
		m, err := s.read()
		if err != nil {
			return err
		}
		switch m.Type {
		case "next":
			return decode(m.Payload, data)
		case "error":
			var list Errors
			if err := json.Unmarshal(m.Payload, &list); err != nil {
				return err
			}
			return list
		case "complete":
			return io.EOF
		}
	}
}

// read gives the next message that is not about keeping the connection alive.
func (s *socket) read() (message, error) {
	for {
		var m message
		err := wsjson.Read(s.ctx, s.connection, &m)
		if errors.Is(err, io.EOF) {
			return m, io.ErrUnexpectedEOF // the connection was cut off, the subscription is not complete
		}
		if err != nil {
			return m, err
		}
		switch m.Type {
		case "ping":
			if err := s.write(message{Type: "pong"}); err != nil {
				return m, err
			}
		case "pong", "ka":
		default:
			return m, nil
		}
	}
}

func (s *socket) write(m message) error { return wsjson.Write(s.ctx, s.connection, m) }

func (s *socket) Close() error { return s.connection.Close(websocket.StatusNormalClosure, "") }
