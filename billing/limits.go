package billing

import (
	"math"
	"regexp"
	"strconv"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

// The metadata of a product.
const (
	metaPlan             = "drydock.plan"
	metaDefault          = "drydock.default"
	metaConcurrentBuilds = "drydock.concurrent_builds"
	metaImages           = "drydock.images"
	metaIncludedMinutes  = "drydock.included_build_minutes"
	metaPaidMinutes      = "drydock.paid_build_minutes"
	metaTimeoutSeconds   = "drydock.build_timeout_seconds"
	metaCPU              = "drydock.cpu"
	metaMemory           = "drydock.memory"
	metaKeptBuilds       = "drydock.kept_builds"
	metaKeptDays         = "drydock.kept_days"
)

// fallback holds where not even the default plan says anything.
var fallback = model.PlanLimits{
	ConcurrentBuilds: 1, Images: 10, IncludedBuildMinutes: 60, BuildTimeoutSeconds: 600, CPU: "1", Memory: "1Gi",
}

// quantity is a positive Kubernetes quantity, of the forms in use for cpu and memory.
var quantity = regexp.MustCompile(`^0*([1-9][0-9]*(\.[0-9]+)?|0?\.[0-9]*[1-9][0-9]*)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$`)

// limitsOf reads a plan's limits from its product's metadata. A value that is missing
// or does not parse is a problem, and the default plan's value holds.
func (c *Client) limitsOf(product *stripe.Product, standard *model.Plan) *model.PlanLimits {
	base := &fallback
	if standard != nil {
		base = standard.Limits
	}
	whole := func(key string, least, otherwise int) int {
		text := product.Metadata[key]
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < int64(least) || n > math.MaxInt32 {
			holds := strconv.Itoa(otherwise)
			if otherwise < 0 {
				holds = "the operator's"
			}
			c.badLimit(product, key, text, "a whole number from "+strconv.Itoa(least), holds)
			return otherwise
		}
		return int(n)
	}
	amount := func(key, otherwise string) string {
		text := product.Metadata[key]
		if !quantity.MatchString(text) {
			c.badLimit(product, key, text, "a Kubernetes quantity such as 2 or 2Gi", otherwise)
			return otherwise
		}
		return text
	}
	limits := &model.PlanLimits{
		ConcurrentBuilds:     whole(metaConcurrentBuilds, 1, base.ConcurrentBuilds),
		Images:               whole(metaImages, 0, base.Images),
		IncludedBuildMinutes: whole(metaIncludedMinutes, 0, base.IncludedBuildMinutes),
		BuildTimeoutSeconds:  whole(metaTimeoutSeconds, 10, base.BuildTimeoutSeconds),
		CPU:                  amount(metaCPU, base.CPU),
		Memory:               amount(metaMemory, base.Memory),
	}
	bound := func(key string, least int, otherwise *int) *int {
		if _, set := product.Metadata[key]; !set {
			return nil
		}
		if n := whole(key, least, or(otherwise, -1)); n >= 0 {
			return &n
		}
		return nil
	}
	limits.PaidBuildMinutes = bound(metaPaidMinutes, 0, new(or(base.PaidBuildMinutes, 0)))
	limits.KeptBuilds = bound(metaKeptBuilds, 1, base.KeptBuilds)
	limits.KeptDays = bound(metaKeptDays, 1, base.KeptDays)
	return limits
}

// or is a number that may be absent.
func or(number *int, otherwise int) int {
	if number == nil {
		return otherwise
	}
	return *number
}

func (c *Client) badLimit(product *stripe.Product, key, text, want, otherwise string) {
	c.problem("product " + product.ID + " (" + product.Name + "): metadata " + key + " is " + strconv.Quote(text) +
		", want " + want + "; " + otherwise + " holds")
}
