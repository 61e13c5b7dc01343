package node

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/kubestack/shim"
)

const (
	retryConfig     = time.Second      // until a missing Secret or ConfigMap is asked for again
	backoffFirst    = 10 * time.Second // the kubelet's restart backoff: at once, then 10 s, doubling
	backoffMax      = 5 * time.Minute
	backoffReset    = 10 * time.Minute // a run this long starts the backoff anew
	killedExitCode  = 137
	oomKilledReason = "OOMKilled"
)

var (
	errNoCommand = errors.New("the container has no command: this node does not use images, so the pod has to say what to run")
	errSidecar   = errors.New("this node does not run init containers with restartPolicy Always: make it one of the containers")
)

// container is one container of a pod, over all its restarts.
type container struct {
	pod     *pod
	spec    *corev1.Container
	init    bool
	index   int               // in the pod's list of its kind
	volumes map[string]string // paths by volume name
	running atomic.Bool       // its log may still grow
}

func newContainers(p *pod) []*container {
	var all []*container
	spec := p.object.Spec.DeepCopy()
	for i := range spec.InitContainers {
		all = append(all, &container{pod: p, spec: &spec.InitContainers[i], init: true, index: i})
	}
	for i := range spec.Containers {
		all = append(all, &container{pod: p, spec: &spec.Containers[i], index: i})
	}
	return all
}

// status is the container's part of the pod's status; use it inside pod.change.
func (c *container) status() *corev1.ContainerStatus {
	if c.init {
		return &c.pod.status.InitContainerStatuses[c.index]
	}
	return &c.pod.status.ContainerStatuses[c.index]
}

func (c *container) restarts() int {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	return int(c.status().RestartCount)
}

// run runs the container, again as its restart policy says, and returns the last exit code.
func (c *container) run() int32 {
	backoff := time.Duration(0)
	for {
		ended := c.once()
		if ended == nil { // the pod ended before the container could start
			return shim.StartFailed
		}
		if !c.startsAgain(ended.ExitCode) {
			return ended.ExitCode
		}
		if ended.FinishedAt.Sub(ended.StartedAt.Time) > backoffReset {
			backoff = 0
		}
		if backoff > 0 {
			c.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s", backoff, c.spec.Name))
			c.pod.event(corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s", c.spec.Name)
		}
		if !c.pod.sleep(backoff) {
			c.pod.change(func() { c.status().State = corev1.ContainerState{Terminated: ended} })
			return ended.ExitCode
		}
		backoff = min(max(2*backoff, backoffFirst), backoffMax)
		c.pod.change(func() { c.status().RestartCount++ })
	}
}

// startsAgain says whether the container starts again after an exit code.
func (c *container) startsAgain(code int32) bool {
	if c.pod.term.Err() != nil {
		return false
	}
	switch c.pod.policy {
	case corev1.RestartPolicyAlways:
		return !c.init || code != 0
	case corev1.RestartPolicyOnFailure:
		return code != 0
	default:
		return false
	}
}

// once runs the container one time and returns how it ended; nil when the pod ended first.
func (c *container) once() *corev1.ContainerStateTerminated {
	if len(c.spec.Command) == 0 {
		return c.terminate(failedStart("NoCommand", errNoCommand))
	}
	if c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
		return c.terminate(failedStart("NotSupported", errSidecar))
	}
	var spec *shim.Spec
	for spec == nil {
		var err error
		spec, err = c.prepare()
		var config configError
		switch {
		case errors.As(err, &config):
			c.wait("CreateContainerConfigError", err.Error())
			c.pod.event(corev1.EventTypeWarning, "Failed", "Error: %v", err)
			if !c.pod.sleep(retryConfig) {
				return nil
			}
		case err != nil:
			return c.terminate(failedStart("NotSupported", err))
		}
	}
	if c.pod.term.Err() != nil {
		return nil
	}
	log, err := createLog(c.logFile(c.restarts()), rotationOf(c.pod.object))
	if err != nil {
		return c.terminate(failedStart("ContainerCannotRun", err))
	}
	c.running.Store(true)
	process, err := shim.Start(c.pod.node.executable, *spec, log.stdout, log.stderr)
	if err != nil {
		log.close()
		c.running.Store(false)
		return c.terminate(failedStart("StartError", err))
	}
	return c.follow(process, log)
}

// follow waits for the process, ends it when the pod has to end or the memory is used up, and returns how it ended.
func (c *container) follow(process *shim.Process, log *logFile) *corev1.ContainerStateTerminated {
	started := metav1.Now()
	id := fmt.Sprintf("process://%s/%s/%d", c.pod.uid, c.spec.Name, c.restarts())
	c.pod.change(func() {
		status, yes := c.status(), true
		status.ContainerID, status.Started = id, &yes
		if status.State.Terminated != nil {
			status.LastTerminationState = status.State
		}
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	})
	c.pod.event(corev1.EventTypeNormal, "Started", "Started container %s", c.spec.Name)
	memory := watchMemory(process, c.spec.Resources.Limits.Memory().Value())
	select {
	case <-process.Ended():
	case <-c.pod.term.Done():
		c.pod.event(corev1.EventTypeNormal, "Killing", "Stopping container %s", c.spec.Name)
		process.Terminate()
		select {
		case <-process.Ended():
		case <-c.pod.kill.Done():
			process.Kill()
			<-process.Ended()
		}
	}
	outOfMemory := memory()
	log.close()
	c.running.Store(false)
	ended := corev1.ContainerStateTerminated{
		ExitCode: int32(process.ExitCode()), Reason: "Completed", StartedAt: started, FinishedAt: metav1.Now(), ContainerID: id,
	}
	switch {
	case outOfMemory:
		ended.ExitCode, ended.Reason = killedExitCode, oomKilledReason
	case ended.ExitCode != 0:
		ended.Reason = "Error"
	}
	if ended.ExitCode > 128 {
		ended.Signal = ended.ExitCode - 128
	}
	ended.Message = c.terminationMessage(ended.ExitCode)
	return c.terminate(ended)
}

func failedStart(reason string, err error) corev1.ContainerStateTerminated {
	return corev1.ContainerStateTerminated{
		ExitCode: shim.StartFailed, Reason: reason, Message: err.Error(), StartedAt: metav1.Now(), FinishedAt: metav1.Now(),
	}
}

func (c *container) terminate(ended corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	c.pod.change(func() {
		status, no := c.status(), false
		status.State, status.Started = corev1.ContainerState{Terminated: &ended}, &no
	})
	return &ended
}

// wait says why the container does not run yet.
func (c *container) wait(reason, message string) {
	c.pod.change(func() {
		status := c.status()
		if status.State.Terminated != nil {
			status.LastTerminationState = status.State
		}
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	})
}

func (c *container) path(elements ...string) string {
	return c.pod.path(append([]string{"containers", c.spec.Name}, elements...)...)
}

func (c *container) logFile(restart int) string { return c.path(logName(restart)) }

func logName(restart int) string { return strconv.Itoa(restart) + ".log" }

// prepare makes the container's directories and files and says what to run.
func (c *container) prepare() (*shim.Spec, error) {
	spec := &shim.Spec{
		Dir: c.path("work"), Scratch: c.path("mount"), WorkingDir: c.spec.WorkingDir, Isolated: c.pod.node.isolated,
	}
	for _, dir := range []string{spec.Dir, spec.Scratch} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, configError{err}
		}
	}
	if err := errors.Join(os.WriteFile(c.terminationFile(), nil, 0o600), os.Chmod(c.terminationFile(), 0o666)); err != nil {
		return nil, configError{err} // any user of the container may write it, whatever the umask is
	}
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	if spec.Isolated {
		if spec.Mounts, err = c.mounts(env); err != nil {
			return nil, err
		}
	}
	for _, arg := range append(append([]string{}, c.spec.Command...), c.spec.Args...) {
		spec.Args = append(spec.Args, env.expand(arg))
	}
	spec.Env = env.list()
	return spec, nil
}

// configError is a reason why a container cannot start yet.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }
