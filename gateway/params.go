package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// refusal is a request that holds no operation: a status and a sentence.
type refusal struct {
	status int
	words  string
}

// readParams reads what a request asks for, from its body or, for GET, its address.
func (g *Gateway) readParams(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	params := &graphql.RawParams{ReadTime: graphql.TraceTiming{Start: graphql.Now()}, Headers: r.Header}
	var refused *refusal
	if r.Method == http.MethodGet {
		refused = fromAddress(r, params)
	} else {
		refused = g.fromBody(w, r, params)
	}
	params.ReadTime.End = graphql.Now()
	return params, refused
}

func (g *Gateway) fromBody(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) *refusal {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		return &refusal{http.StatusUnsupportedMediaType, "Send the operation as application/json."}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &refusal{http.StatusUnsupportedMediaType, "Send the body without a Content-Encoding."}
	}
	body, refused := g.readBody(w, r, g.Limits.BodyBytes)
	if refused != nil {
		return refused
	}
	if decode(body, params) != nil {
		return &refusal{http.StatusBadRequest, `Send one JSON object: {"query": "...", "variables": {...}, "operationName": "..."}.`}
	}
	return nil
}

// readBody reads a body of bounded size.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a stream may last
		return body, nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "The body is too large: send at most " + sizeText(large.Limit) + "."}
	}
	return nil, &refusal{http.StatusBadRequest, "The body ended before it was whole."}
}

func fromAddress(r *http.Request, params *graphql.RawParams) *refusal {
	values := r.URL.Query()
	params.Query, params.OperationName = values.Get("query"), values.Get("operationName")
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" && decode([]byte(text), into) != nil {
			return &refusal{http.StatusBadRequest, "The parameter " + name + " is not a JSON object."}
		}
	}
	return nil
}

// decode reads one JSON value and no more; numbers keep their digits.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON value")
	}
	return nil
}

// Media types of requests and answers.
const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
	mediaEvents  = "text/event-stream"
)

// accepted is the first media type of Accept that the gateway can give, and whether it
// lists event streams at all: clients list them with every operation, and mean them for
// subscriptions.
func accepted(r *http.Request) (first string, events bool) {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, _, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		events = events || media == mediaEvents
		if media == "*/*" || media == "application/*" {
			media = mediaJSON
		}
		if first == "" && (media == mediaJSON || media == mediaGraphQL || media == mediaEvents) {
			first = media
		}
	}
	if first == "" {
		first = mediaJSON
	}
	return first, events
}
