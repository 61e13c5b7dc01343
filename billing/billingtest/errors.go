package billingtest

import (
	"fmt"
	"net/http"
)

// apiError is a refusal in Stripe's shape (https://docs.stripe.com/api/errors).
type apiError struct {
	status  int
	kind    string
	code    string
	param   string
	message string
	header  http.Header
}

func (e *apiError) body() object {
	inner := object{"type": e.kind, "message": e.message}
	if e.code != "" {
		inner["code"] = e.code
		inner["doc_url"] = "https://stripe.com/docs/error-codes/" + e.code
	}
	if e.param != "" {
		inner["param"] = e.param
	}
	return object{"error": inner}
}

func invalid(param, code, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, kind: "invalid_request_error",
		code: code, param: param, message: fmt.Sprintf(format, args...),
	}
}

// missing is what an unknown id gets: 404 where it is the path's, else 400.
func missing(status int, noun, param, id string) *apiError {
	e := invalid(param, "resource_missing", "No such %s: '%s'", noun, id)
	e.status = status
	return e
}

func required(param string) *apiError {
	return invalid(param, "parameter_missing", "Missing required param: %s.", param)
}

func unauthorized(message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, kind: "invalid_request_error", message: message}
}
