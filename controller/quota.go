package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// askBilling bounds how long a queue waits for billing.
const askBilling = 10 * time.Second

// askHold is the same where the answer is not needed.
const askHold = 3 * time.Second

// quota is what an account used in its present billing period.
type quota struct {
	seconds int64
	until   time.Time
	err     error
}

// exceeded tells whether nothing is left of the build's minutes.
func (q quota) exceeded(build *v1alpha1.Build) bool {
	limit := build.Spec.Limits.BuildMinutes
	return limit != nil && q.seconds >= *limit*60
}

// held says why billing lets no build of the account begin; none does of an account that
// billing does not know. Nobody waits for billing: where it does not answer, builds go on.
func (p *pass) held(ctx context.Context, build *v1alpha1.Build) string {
	login := build.Spec.Account
	if words, ok := p.holds[login]; ok {
		return words
	}
	ctx, cancel := context.WithTimeout(ctx, askHold)
	defer cancel()
	words, err := p.billing.Hold(ctx, login)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		words = "Nobody pays for this build: there is no account " + login + " any more. Sign in again, then start the build again."
	case err != nil:
		p.log.Warn("nobody knows whether the account is in arrears: its builds go on", "namespace", build.Namespace, "account", login, "error", err)
		words = ""
	}
	p.holds[login] = words
	return words
}

// quota of the account that pays for the build: what billing knows, and the seconds
// of ended builds that billing was not told of yet. Nothing is asked where the plan
// has no limit.
func (p *pass) quota(ctx context.Context, build *v1alpha1.Build) quota {
	if build.Spec.Limits.BuildMinutes == nil {
		return quota{}
	}
	login := build.Spec.Account
	if known, ok := p.quotas[login]; ok {
		return known
	}
	found := p.askQuota(ctx, build.Namespace, login)
	p.quotas[login] = found
	return found
}

func (q *queue) askQuota(ctx context.Context, namespace, login string) quota {
	ctx, cancel := context.WithTimeout(ctx, askBilling)
	defer cancel()
	usage, err := q.billing.Usage(ctx, login, model.UsagePeriodCurrent)
	if err != nil {
		return quota{err: err}
	}
	var builds v1alpha1.BuildList
	if err := q.List(ctx, &builds, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return quota{err: err}
	}
	found := quota{seconds: int64(usage.BuildSeconds), until: usage.PeriodEnd}
	for i := range builds.Items {
		if build := &builds.Items[i]; build.Spec.Account == login && build.Status.Phase.Done() && build.Status.Billing == nil {
			found.seconds += Seconds(build)
		}
	}
	return found
}
