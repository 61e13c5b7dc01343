package resolvers

import (
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// connection reads one page of a list and shapes it as Relay has it.
func connection[T any](first int, after *string, read func(model.Page) (model.Slice[T], error)) (*model.Connection[T], error) {
	if first < 1 || first > model.MaxPage {
		return nil, fault.New(fault.BadUserInput, "first is %d: ask for 1 to %d, and for more with after.", first, model.MaxPage)
	}
	slice, err := read(model.Page{First: first, After: text(after)})
	if err != nil {
		return nil, err
	}
	return model.NewConnection(slice), nil
}
