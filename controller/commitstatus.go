package controller

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/github"
	"drydock.dev/drydock/graph/model"
)

// statusFor is how long after a build's end GitHub is told of it: then nobody asks any more.
const statusFor = 24 * time.Hour

var (
	fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
	// gitHubPath is owner/name, as GitHub allows them, perhaps with .git behind it.
	gitHubPath = regexp.MustCompile(`^/?([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(\.git)?/?$`)
)

// statuses show builds at their commits on GitHub, where the operator's token may. What
// was shown is in the build's status. Whoever names a repository in an image proves nothing
// by it, and the token may write to all of them: a status is set where the repository is the
// account's own, or its owner is one of owners.
type statuses struct {
	deps
	github *github.Client
	owners []string
	page   pages
}

func (s *statuses) setup(mgr manager.Manager, options controller.Options) error {
	news := predicate.NewPredicateFuncs(func(object client.Object) bool { return s.due(object.(*v1alpha1.Build)) != "" })
	return builder.ControllerManagedBy(mgr).Named("statuses").WithOptions(options).
		For(&v1alpha1.Build{}, builder.WithPredicates(news)).
		Complete(s)
}

// Reconcile shows a build's state at its commit.
// GitHub: POST of the status. Kubernetes: GET of the build, PATCH of its status.
func (s *statuses) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var build v1alpha1.Build
	var state github.State
	for _, reader := range []client.Reader{s.Client, s.live} { // a cache that lags would have it told twice
		if err := reader.Get(ctx, request.NamespacedName, &build); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		if state = s.due(&build); state == "" {
			return reconcile.Result{}, nil
		}
	}
	if newer, err := s.overtaken(ctx, &build); newer || err != nil {
		return reconcile.Result{}, err
	}
	before := build.DeepCopy()
	build.Status.CommitStatus = &v1alpha1.CommitStatus{State: string(state), Time: metav1.NewTime(s.now())}
	err := s.github.SetStatus(ctx, s.repository(&build), commitOf(&build), github.Status{
		State: state, Context: "drydock/" + build.Spec.Image.Name, Description: s.words(&build), TargetURL: s.page.build(&build),
	})
	var refused *github.RefusedError
	var busy *github.BusyError
	switch {
	case errors.As(err, &busy):
		return reconcile.Result{RequeueAfter: busy.Wait}, nil
	case errors.As(err, &refused):
		build.Status.CommitStatus.Message = refused.Error()
		s.events.tell(imageNamed(&build), &build, corev1.EventTypeWarning, "CommitStatusRefused", "SetCommitStatus", refused.Error())
	case err != nil:
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, client.IgnoreNotFound(s.Status().Patch(ctx, &build, client.MergeFrom(before)))
}

// due is the state that GitHub is to be told of; empty where there is nothing to tell.
func (s *statuses) due(build *v1alpha1.Build) github.State {
	shown := build.Status.CommitStatus
	if commitOf(build) == "" || s.repository(build) == "" || shown != nil && shown.Message != "" || !build.DeletionTimestamp.IsZero() {
		return ""
	}
	if build.Status.Phase.Done() && s.now().Sub(endOf(build)) > statusFor {
		return ""
	}
	state := stateOf(build)
	if shown != nil && shown.State == string(state) {
		return ""
	}
	return state
}

// stateOf says a build's phase in GitHub's words: failure is the commit's, error is not.
func stateOf(build *v1alpha1.Build) github.State {
	switch build.Status.Phase {
	case v1alpha1.PhaseSucceeded:
		return github.Success
	case v1alpha1.PhaseCancelled:
		return github.Errored
	case v1alpha1.PhaseFailed:
		if build.Status.Reason == v1alpha1.ReasonInfrastructure || build.Status.Reason == v1alpha1.ReasonQuotaExceeded {
			return github.Errored
		}
		return github.Failure
	}
	return github.Pending
}

// words are the status' description.
func (s *statuses) words(build *v1alpha1.Build) string {
	if build.Status.Phase.Done() {
		return build.Status.Message
	}
	return fmt.Sprintf("Build %d is on its way.", build.Spec.Number)
}

// commitOf is the full name of a build's commit; empty until it is known.
func commitOf(build *v1alpha1.Build) string {
	for _, commit := range []string{build.Status.Commit, build.Spec.Commit, build.Spec.Source.Ref} {
		if fullCommit.MatchString(commit) {
			return commit
		}
	}
	return ""
}

// repository is owner/name of a build's repository at this GitHub, where the build's account
// may set statuses; empty for any other.
func (s *statuses) repository(build *v1alpha1.Build) string {
	repository := build.Spec.Source.Repository
	_, host := model.GitOrigin(repository)
	if host[strings.LastIndex(host, "@")+1:] != s.github.Host() {
		return ""
	}
	path := ""
	if at, err := url.Parse(repository); err == nil && at.Host != "" {
		path = at.Path
	} else if _, rest, ok := strings.Cut(repository, ":"); ok { // git@host:path
		path = rest
	}
	if match := gitHubPath.FindStringSubmatch(path); match != nil && !strings.Contains(match[1], "..") && s.may(build.Spec.Account, match[1]) {
		return match[1]
	}
	return ""
}

// may tells whether an account's builds may be shown in a repository, owner/name. GitHub
// does not tell owners apart by case.
func (s *statuses) may(login, repository string) bool {
	owner, _, _ := strings.Cut(repository, "/")
	return strings.EqualFold(owner, login) ||
		slices.ContainsFunc(s.owners, func(one string) bool { return one == "*" || strings.EqualFold(one, owner) })
}

// overtaken tells whether a newer build of the image is of the same commit: its state counts.
func (s *statuses) overtaken(ctx context.Context, build *v1alpha1.Build) (bool, error) {
	var builds v1alpha1.BuildList
	err := s.List(ctx, &builds, client.InNamespace(build.Namespace), client.MatchingFields{byImage: build.Spec.Image.Name}, client.UnsafeDisableDeepCopy)
	for i := range builds.Items {
		other := &builds.Items[i]
		if other.Spec.Image.UID == build.Spec.Image.UID && other.Spec.Number > build.Spec.Number && commitOf(other) == commitOf(build) {
			return true, nil
		}
	}
	return false, err
}
