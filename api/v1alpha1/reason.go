package v1alpha1

// Why a build is where it is: the values of status.reason.
const (
	// ReasonPlanLimit: queued, as many builds of the account run as its plan allows.
	ReasonPlanLimit = "PlanLimit"
	// ReasonClusterFull: queued, as many builds run as the installation has places or room
	// for; places go round among the accounts.
	ReasonClusterFull = "ClusterFull"
	// ReasonPending: the Job is there, its pod has not started yet.
	ReasonPending = "Pending"
	// ReasonBuilding: the pod runs.
	ReasonBuilding = "Building"
	// ReasonPushed: every tag was pushed.
	ReasonPushed = "Pushed"
	// ReasonCloneFailed: the repository or the ref could not be fetched.
	ReasonCloneFailed = "CloneFailed"
	// ReasonDockerfileMissing: there is no such file in the context.
	ReasonDockerfileMissing = "DockerfileMissing"
	// ReasonBuildFailed: a step of the Dockerfile failed.
	ReasonBuildFailed = "BuildFailed"
	// ReasonPushDenied: the registry refused the push, or was not reached.
	ReasonPushDenied = "PushDenied"
	// ReasonTimeout: it ran longer than its timeout.
	ReasonTimeout = "Timeout"
	// ReasonOutOfMemory: it used more memory than its plan allows.
	ReasonOutOfMemory = "OutOfMemory"
	// ReasonCancelled: somebody asked to end it, or its image was deleted.
	ReasonCancelled = "Cancelled"
	// ReasonSuperseded: cancelled before it began, a newer push, run or base took its place.
	ReasonSuperseded = "Superseded"
	// ReasonQuotaExceeded: the plan's build minutes, included and paid, are used up.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonPlatformUnsupported: the build strategy cannot build for a platform asked for.
	ReasonPlatformUnsupported = "PlatformUnsupported"
	// ReasonInfrastructure: the pod was lost, killed or could not start; not the user's fault.
	ReasonInfrastructure = "InfrastructureFailure"
)
