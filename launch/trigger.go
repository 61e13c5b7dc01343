package launch

import (
	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

var triggers = map[v1alpha1.BuildTrigger]model.BuildTrigger{
	v1alpha1.TriggerManual:    model.BuildTriggerManual,
	v1alpha1.TriggerPush:      model.BuildTriggerPush,
	v1alpha1.TriggerSchedule:  model.BuildTriggerSchedule,
	v1alpha1.TriggerBaseImage: model.BuildTriggerBaseImage,
	v1alpha1.TriggerRetry:     model.BuildTriggerRetry,
}

// Trigger says a Build's trigger in the vocabulary's word.
func Trigger(named v1alpha1.BuildTrigger) model.BuildTrigger { return triggers[named] }

// triggerNamed is the reverse; empty, which the API server reads as Manual, for others.
func triggerNamed(trigger model.BuildTrigger) v1alpha1.BuildTrigger {
	for named, word := range triggers {
		if word == trigger {
			return named
		}
	}
	return ""
}
