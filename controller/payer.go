package controller

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/metering"
)

// payer is who pays for a build: the customer that it tells, else that of the login now.
// One whom billing does not know has no customer.
func (r reporter) payer(ctx context.Context, login, customerID string) (model.Payer, error) {
	if customerID != "" {
		return model.Payer{Login: login, CustomerID: customerID}, nil
	}
	payer, err := r.billing.PayerOf(ctx, login)
	if fault.KindOf(err) == fault.NotFound {
		return model.Payer{Login: login}, nil
	}
	return model.Payer{Login: login, CustomerID: payer.CustomerID}, err
}

// payers gathers a login's builds by who pays: a login may have been another customer's.
func (r reporter) payers(ctx context.Context, login string, builds []metering.Build) (map[model.Payer][]metering.Build, error) {
	found := map[model.Payer][]metering.Build{}
	for _, build := range builds {
		payer, err := r.payer(ctx, login, build.CustomerID)
		if err != nil {
			return nil, err
		}
		found[payer] = append(found[payer], build)
	}
	return found, nil
}

// byCustomer are the payers of one login by customer.
func byCustomer(found map[model.Payer][]metering.Build) []model.Payer {
	return slices.SortedFunc(maps.Keys(found), func(a, b model.Payer) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
}
