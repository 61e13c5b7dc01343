package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// kinds says which failure a refusal of the API server is.
var kinds = map[metav1.StatusReason]fault.Kind{
	metav1.StatusReasonNotFound:           fault.NotFound,
	metav1.StatusReasonAlreadyExists:      fault.AlreadyExists,
	metav1.StatusReasonConflict:           fault.Conflict,
	metav1.StatusReasonGone:               fault.Conflict,
	metav1.StatusReasonExpired:            fault.Conflict,
	metav1.StatusReasonInvalid:            fault.BadUserInput,
	metav1.StatusReasonTooManyRequests:    fault.RateLimited,
	metav1.StatusReasonTimeout:            fault.Unavailable,
	metav1.StatusReasonServerTimeout:      fault.Unavailable,
	metav1.StatusReasonServiceUnavailable: fault.Unavailable,
	metav1.StatusReasonInternalError:      fault.Unavailable,
	metav1.StatusReasonUnknown:            fault.Internal,
}

// translate names a failure to talk to the API server. The original stays the cause,
// for the log and for apierrors' questions.
func translate(err error) error {
	var broken *url.Error
	var network net.Error
	var refusal apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return &fault.Error{Kind: fault.Conflict, Cause: err,
			Message: "The account's namespace is being deleted: try again when it is gone."}
	case errors.As(err, &refusal):
		return refused(refusal.Status(), err)
	case errors.As(err, &broken), errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Wrap(fault.Unavailable, err)
	default:
		return fault.Wrap(fault.Internal, err)
	}
}

func refused(status metav1.Status, cause error) error {
	kind, known := kinds[status.Reason]
	if !known {
		kind = fault.Internal
	}
	failure := &fault.Error{Kind: kind, Cause: cause}
	if kind == fault.BadUserInput && status.Details != nil {
		var sentences []string
		for _, detail := range status.Details.Causes {
			sentences = append(sentences, strings.TrimPrefix(detail.Field, "spec.")+": "+detail.Message+".")
		}
		failure.Message = strings.Join(sentences, " ")
	}
	return failure
}

// invalid is nil where nothing is wrong.
func invalid(problems []model.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var sentences []string
	for _, problem := range problems {
		sentences = append(sentences, problem.String())
	}
	return fault.New(fault.BadUserInput, "%s", strings.Join(sentences, " "))
}

// missing gives what is fault.NotFound words that say what it is.
func missing(err error, message string) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return &fault.Error{Kind: fault.NotFound, Message: message, Cause: err}
}
