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
func (r reporter) payer(ctx context.Context, login, customerID string) (model.Owner, error) {
	if customerID != "" {
		return model.Owner{Login: login, CustomerID: customerID}, nil
	}
	payer, err := r.billing.OwnerOf(ctx, login)
	if fault.KindOf(err) == fault.NotFound {
		return model.Owner{Login: login}, nil
	}
	return model.Owner{Login: login, CustomerID: payer.CustomerID}, err
}

// payers gathers a login's builds by who pays: a login may have been another customer's.
func (r reporter) payers(ctx context.Context, login string, builds []metering.Build) (map[model.Owner][]metering.Build, error) {
	found := map[model.Owner][]metering.Build{}
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
func byCustomer(found map[model.Owner][]metering.Build) []model.Owner {
	return slices.SortedFunc(maps.Keys(found), func(a, b model.Owner) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
}
