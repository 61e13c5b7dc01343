package conversion

import "errors"

// toBeta makes v1beta1's spec of v1alpha1's.
func toBeta(spec map[string]any, kept *kept) error {
	return errors.Join(outputToBeta(spec, kept), argsToBeta(spec, kept), timeoutToBeta(spec, kept))
}

// toAlpha makes v1alpha1's spec of v1beta1's.
func toAlpha(spec map[string]any, kept *kept) error {
	return errors.Join(outputToAlpha(spec, kept), argsToAlpha(spec, kept), timeoutToAlpha(spec, kept))
}

// outputToBeta moves destination and tags into output.
func outputToBeta(spec map[string]any, kept *kept) error {
	output := kept.Output
	if output == nil {
		output = map[string]any{}
	}
	kept.Output = nil
	destination, there, err := take[string](spec, "destination")
	if err != nil {
		return err
	}
	if there {
		output["repository"] = destination
	}
	tags, there, err := take[[]any](spec, "tags")
	if err != nil {
		return err
	}
	if there {
		output["tags"] = tags
	}
	if len(output) > 0 {
		spec["output"] = output
	}
	return nil
}

// outputToAlpha moves what is in output out of it, and keeps what is left.
func outputToAlpha(spec map[string]any, kept *kept) error {
	output, _, err := take[map[string]any](spec, "output")
	if err != nil {
		return err
	}
	repository, there, err := take[string](output, "repository")
	if err != nil {
		return err
	}
	if there {
		spec["destination"] = repository
	}
	tags, there, err := take[[]any](output, "tags")
	if err != nil {
		return err
	}
	if there {
		spec["tags"] = tags
	}
	kept.Output = output
	return nil
}
