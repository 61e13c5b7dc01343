package model

// Plan is a product tier: a Stripe product with prices.
type Plan struct {
	// ProductID is the Stripe product: prod_...
	ProductID   string
	Name        string
	Description *string
	// Default marks the plan of accounts without a subscription.
	Default bool
	Price   *Price
	Limits  *PlanLimits
}

// IsNode marks a plan as having a global id.
func (*Plan) IsNode() {}

// ID is the plan's global id.
func (p *Plan) ID() string { return EncodeID(KindPlan, p.ProductID) }

// GetID serves gqlgen's Node interface.
func (p *Plan) GetID() string { return p.ID() }

// BuildMinutes is how many build minutes an account may use in a billing period:
// the included ones, and on a plan with a metered price the paid ones too. nil
// means no limit.
func (p *Plan) BuildMinutes() *int64 {
	minutes := int64(p.Limits.IncludedBuildMinutes)
	if p.Price != nil && p.Price.MeteredUnitAmountPerMinute != nil {
		if p.Limits.PaidBuildMinutes == nil {
			return nil
		}
		minutes += int64(*p.Limits.PaidBuildMinutes)
	}
	return &minutes
}
