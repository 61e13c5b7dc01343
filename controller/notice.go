package controller

import (
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// eventEnded is the Drydock-Event of a build's end.
const eventEnded = "build.ended"

// notice is what a webhook is told of a build that ended; docs/operations.md describes it.
type notice struct {
	// ID is the same in each attempt.
	ID      string      `json:"id"`
	Type    string      `json:"type"`
	Account string      `json:"account"`
	Image   noticeImage `json:"image"`
	Build   noticeBuild `json:"build"`
}

type noticeImage struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Destination string `json:"destination"`
	Repository  string `json:"repository"`
}

// noticeBuild has the names and the words of the GraphQL type Build.
type noticeBuild struct {
	ID              string     `json:"id"`
	Number          int64      `json:"number"`
	Phase           string     `json:"phase"`
	Reason          string     `json:"reason"`
	Message         string     `json:"message"`
	Trigger         string     `json:"trigger"`
	Ref             string     `json:"ref"`
	Commit          string     `json:"commit,omitempty"`
	Digest          string     `json:"digest,omitempty"`
	References      []string   `json:"references"`
	QueuedAt        time.Time  `json:"queuedAt"`
	StartedAt       *time.Time `json:"startedAt"`
	FinishedAt      *time.Time `json:"finishedAt"`
	DurationSeconds int64      `json:"durationSeconds"`
	URL             string     `json:"url,omitempty"`
}

// pages is where people see builds: the gateway's public URL, empty where it is not known.
type pages string

// build is the page of a build.
func (p pages) build(build *v1alpha1.Build) string {
	if p == "" {
		return ""
	}
	return strings.TrimRight(string(p), "/") + "/builds/" + url.PathEscape(model.EncodeID(model.KindBuild, build.Spec.Account, build.Name))
}

func (h *hooks) notice(build *v1alpha1.Build) notice {
	status, login := &build.Status, build.Spec.Account
	return notice{
		ID: string(build.UID), Type: eventEnded, Account: login,
		Image: noticeImage{
			ID: model.EncodeID(model.KindImage, login, build.Spec.Image.Name), Name: build.Spec.Image.Name,
			Destination: build.Spec.Destination, Repository: build.Spec.Source.Repository,
		},
		Build: noticeBuild{
			ID: model.EncodeID(model.KindBuild, login, build.Name), Number: build.Spec.Number,
			Phase: strings.ToUpper(string(status.Phase)), Reason: status.Reason, Message: status.Message,
			Trigger: string(build.Spec.Trigger), Ref: build.Spec.Source.Ref, Commit: status.Commit, Digest: status.Digest,
			References: append([]string{}, status.References...),
			QueuedAt:   build.CreationTimestamp.UTC(), StartedAt: utc(status.StartTime), FinishedAt: utc(status.CompletionTime),
			DurationSeconds: ran(status), URL: h.page.build(build),
		},
	}
}

// ran is how long a build ran, in whole seconds.
func ran(status *v1alpha1.BuildStatus) int64 {
	if status.StartTime == nil || status.CompletionTime == nil {
		return 0
	}
	return max(1, int64(status.CompletionTime.Sub(status.StartTime.Time)/time.Second))
}

func utc(at *metav1.Time) *time.Time {
	if at == nil {
		return nil
	}
	return new(at.UTC())
}
