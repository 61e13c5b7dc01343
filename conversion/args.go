package conversion

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// argsToBeta makes the list buildArgs the map args. A map has no order: the list's is kept
// where it is not the alphabet's.
func argsToBeta(spec map[string]any, kept *kept) error {
	kept.Args = nil
	list, there, err := take[[]any](spec, "buildArgs")
	if err != nil || !there {
		return err
	}
	args := make(map[string]any, len(list))
	names := make([]string, 0, len(list))
	for i, item := range list {
		name, value, err := buildArg(item)
		if err != nil {
			return fmt.Errorf("buildArgs[%d]: %w", i, err)
		}
		if _, twice := args[name]; twice {
			return fmt.Errorf("buildArgs[%d]: the key %q is there twice", i, name)
		}
		args[name] = value
		names = append(names, name)
	}
	if !slices.IsSorted(names) {
		kept.Args = names
	}
	spec["args"] = args
	return nil
}

func buildArg(item any) (name string, value any, err error) {
	fields, ok := item.(map[string]any)
	if !ok {
		return "", nil, fmt.Errorf("is a %T, not an object", item)
	}
	name, named, err := take[string](fields, "key")
	if err != nil {
		return "", nil, err
	}
	value, valued, err := take[any](fields, "value")
	if err != nil {
		return "", nil, err
	}
	if !named || !valued {
		return "", nil, errors.New("key and value are needed")
	}
	return name, value, noOthers(fields)
}

// argsToAlpha makes the map args the list buildArgs: in the order that was kept, others
// after these, by the alphabet.
func argsToAlpha(spec map[string]any, kept *kept) error {
	order := make(map[string]int, len(kept.Args))
	for i, name := range kept.Args {
		order[name] = i - len(kept.Args) // below 0, which is every other one's
	}
	kept.Args = nil
	args, there, err := take[map[string]any](spec, "args")
	if err != nil || !there {
		return err
	}
	list := make([]any, 0, len(args))
	for _, name := range slices.SortedFunc(maps.Keys(args), func(a, b string) int {
		return cmp.Or(cmp.Compare(order[a], order[b]), strings.Compare(a, b))
	}) {
		list = append(list, map[string]any{"key": name, "value": args[name]})
	}
	spec["buildArgs"] = list
	return nil
}
