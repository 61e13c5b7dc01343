package controller

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// maxWait is how long a schedule goes without a look at the clock, which may be set.
const maxWait = time.Hour

// schedules start builds at their images' times. How far one was followed stands in the
// image's status, written after the build was made: who died between the two meets it.
type schedules struct {
	launcher
	minInterval time.Duration
}

func (s *schedules) setup(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).Named("schedules").WithOptions(options).For(&v1alpha1.Image{}).Complete(s)
}

// Reconcile starts the build that is due, the newest of those that were missed, and waits
// for the next.
func (s *schedules) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var image v1alpha1.Image
	if err := s.Get(ctx, request.NamespacedName, &image); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	line := image.Spec.Triggers.Schedule
	if line == "" || image.Spec.Suspended || !image.DeletionTimestamp.IsZero() {
		return calm(reconcile.Result{}, s.tell(ctx, &image, nil)) // what comes due meanwhile is not missed
	}
	now := s.now()
	status := &v1alpha1.ScheduleStatus{Line: line, Since: metav1.NewTime(now.Truncate(time.Second))}
	if seen := image.Status.Triggers; seen != nil && seen.Schedule != nil && seen.Schedule.Line == line {
		status = seen.Schedule.DeepCopy()
	}
	schedule, err := model.ParseSchedule(line)
	if err != nil {
		status.Message = "triggers.schedule " + err.Error() + "."
		return calm(reconcile.Result{}, s.tell(ctx, &image, status))
	}
	if schedule.Interval() < s.minInterval {
		status.Message = fmt.Sprintf("The schedule leaves %s between two builds at the shortest, and this installation takes %s and more.", schedule.Interval(), s.minInterval)
		return calm(reconcile.Result{}, s.tell(ctx, &image, status))
	}
	after := status.Since.Time
	if status.LastTime != nil {
		after = status.LastTime.Time
	}
	if due, ok := schedule.Latest(after, now); ok {
		refused, err := s.launch(ctx, &image, "schedule/"+due.Format(time.RFC3339), model.BuildStart{
			Trigger: model.BuildTriggerSchedule, TriggeredBy: fmt.Sprintf("schedule %s, of %s", line, due.Format("2006-01-02 15:04 MST")), TriggerTime: due,
		})
		if err != nil {
			return calm(reconcile.Result{}, fmt.Errorf("the schedule of %s: %w", image.Name, err))
		}
		status.LastTime, status.Message = &metav1.Time{Time: due}, ""
		if refused != "" {
			status.Message = fmt.Sprintf("The run of %s was left out: %s", due.Format("2006-01-02 15:04 MST"), refused)
		}
	}
	wait := min(schedule.Next(now).Sub(now), maxWait)
	return calm(reconcile.Result{RequeueAfter: max(wait, time.Second)}, s.tell(ctx, &image, status))
}

// tell writes how far a schedule was followed.
func (s *schedules) tell(ctx context.Context, image *v1alpha1.Image, status *v1alpha1.ScheduleStatus) error {
	if status != nil {
		status.Message = clip(status.Message)
	}
	return s.observe(ctx, image, func(triggers *v1alpha1.TriggersStatus) { triggers.Schedule = status })
}
