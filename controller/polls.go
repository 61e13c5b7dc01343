package controller

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/registry"
)

const (
	// askBase bounds one question to a registry.
	askBase = 15 * time.Second
	// askRegistries is how many registries are asked at once.
	askRegistries = 8
)

// polls ask registries what base images are now: each reference once for all who want to
// know, one reference of a registry after the other.
type polls struct {
	registries *registry.Logins
	every      time.Duration // between two questions for one reference, on average
	now        func() time.Time
	log        *slog.Logger

	known map[string]*known    // by reference
	rests map[string]time.Time // by registry: until when it wants to be left alone
}

// known is what is known of one reference.
type known struct {
	*registry.Base
	due time.Time // when it is asked for
	// digest is what the registry had when it was asked, zero before the first answer;
	// problem is why nobody knows.
	digest  string
	asked   time.Time
	problem string
}

// run asks for those of the wanted references that are due, and forgets all others. A
// reference that names a digest is not asked for, and not known.
// Registries: as registry.Base.Digest, of each reference that is due.
func (p *polls) run(ctx context.Context, wanted map[string]bool) {
	keep, due := map[string]*known{}, map[string][]*known{}
	for reference, watch := range wanted {
		if !watch {
			continue
		}
		one := p.known[reference]
		if one == nil {
			base, err := p.registries.Base(reference)
			if err != nil {
				continue
			}
			one = &known{Base: base}
		}
		keep[reference] = one
		if now := p.now(); !now.Before(one.due) && !now.Before(p.rests[one.Host()]) {
			due[one.Host()] = append(due[one.Host()], one)
		}
	}
	p.known = keep
	hosts := slices.Collect(maps.Keys(due))
	waits := make([]time.Duration, len(hosts))
	var group errgroup.Group
	group.SetLimit(askRegistries)
	for i, host := range hosts {
		group.Go(func() error {
			waits[i] = p.ask(ctx, due[host])
			return nil
		})
	}
	_ = group.Wait() // nil
	now := p.now()
	maps.DeleteFunc(p.rests, func(_ string, until time.Time) bool { return until.Before(now) })
	for i, wait := range waits {
		if wait > 0 {
			p.rests[hosts[i]] = now.Add(wait)
		}
	}
}

// ask asks one registry. It ends where that is busy, or does not answer: what is left is
// due at the next look.
func (p *polls) ask(ctx context.Context, of []*known) (wait time.Duration) {
	for _, one := range of {
		asked := p.now()
		limited, cancel := context.WithTimeout(ctx, askBase)
		digest, err := one.Digest(limited)
		late := limited.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return 0
		}
		var busy *registry.Busy
		if errors.As(err, &busy) {
			p.log.Info("a registry wants to be left alone", "registry", one.Host(), "for", busy.Wait)
			return busy.Wait
		}
		one.due = asked.Add(p.every*9/10 + rand.N(p.every/5+1))
		switch kind := fault.KindOf(err); {
		case err == nil:
			one.digest, one.asked, one.problem = digest, asked, ""
		case kind == fault.Forbidden, kind == fault.NotFound, kind == fault.BadUserInput:
			one.digest, one.asked, one.problem = "", time.Time{}, fault.PublicOf(err)
		default:
			p.log.Warn("a base image could not be asked for", "registry", one.Host(), "error", err)
		}
		if late {
			return 0
		}
	}
	return 0
}
