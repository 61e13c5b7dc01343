package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespace makes a namespace for one test and removes it after.
func namespace(t *testing.T, c *cluster) string {
	t.Helper()
	made, err := c.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "default service account", func() bool {
		_, err := c.client.CoreV1().ServiceAccounts(made.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return made.Name
}

// shell is a pod with one container that runs a script, changed by the given functions.
func shell(script string, changes ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod", Labels: map[string]string{"colour": "green"}},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "main", Image: "unused", Command: []string{"sh", "-c", script}}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

func create(t *testing.T, c *cluster, namespace string, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	made, err := c.client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func get(t *testing.T, c *cluster, namespace, name string) *corev1.Pod {
	t.Helper()
	pod, err := c.client.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// untilEnded waits for a pod's end and returns it.
func untilEnded(t *testing.T, c *cluster, namespace, name string) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, "pod ends", func() bool {
		pod = get(t, c, namespace, name)
		return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	})
	return pod
}

func untilRunning(t *testing.T, c *cluster, namespace, name string) {
	t.Helper()
	eventually(t, "pod runs", func() bool {
		pod := get(t, c, namespace, name)
		if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
			t.Fatalf("pod ended: %+v", pod.Status)
		}
		return pod.Status.Phase == corev1.PodRunning
	})
}

func mount(name, path string, source corev1.VolumeSource) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
		for i := range pod.Spec.InitContainers {
			one := &pod.Spec.InitContainers[i]
			one.VolumeMounts = append(one.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path})
		}
		main := &pod.Spec.Containers[0]
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path})
	}
}

func mainContainer(change func(*corev1.Container)) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { change(&pod.Spec.Containers[0]) }
}

func env(variables ...corev1.EnvVar) func(*corev1.Pod) {
	return mainContainer(func(c *corev1.Container) { c.Env = append(c.Env, variables...) })
}

func field(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

func initContainer(script string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{
			Name: "init-" + string(rune('a'+len(pod.Spec.InitContainers))), Image: "unused", Command: []string{"sh", "-c", script},
		})
	}
}

func restartPolicy(policy corev1.RestartPolicy) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.RestartPolicy = policy }
}

func deadline(seconds int64) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.ActiveDeadlineSeconds = &seconds }
}

func memoryLimit(quantity string) func(*corev1.Pod) {
	return mainContainer(func(c *corev1.Container) {
		c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(quantity)}
	})
}

var fallback = mainContainer(func(c *corev1.Container) {
	c.TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
})

// outcome is what a case looks at when its pod has ended.
type outcome struct {
	Phase     corev1.PodPhase
	PodReason string
	ExitCode  int32
	Reason    string
	Message   string
	Restarts  int32
	Log       string
}

func completed(log string) outcome {
	return outcome{Phase: corev1.PodSucceeded, Reason: "Completed", Log: log}
}

func failed(code int32, reason string) outcome {
	return outcome{Phase: corev1.PodFailed, ExitCode: code, Reason: reason}
}

func TestPodOutcome(t *testing.T) {
	secretKey := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "secret"}, Key: "token"}
	configKey := &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}, Key: "greeting"}
	secretMode, hostDir, yes := int32(0o400), t.TempDir(), true
	if err := os.WriteFile(filepath.Join(hostDir, "file"), []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		reason string
		pod    *corev1.Pod
		want   outcome
	}{
		{"exit code 0 is success, output of both streams is kept", shell("echo out; sleep 0.2; echo err >&2"), completed("out\nerr\n")},
		{"an exit code is reported as it is", shell("exit 3"), failed(3, "Error")},
		{"a signal is 128 + its number ($$ is one $ in Kubernetes)", shell("kill -TERM $$$$; sleep 60"), failed(143, "Error")},
		{"arguments follow the command", shell(`echo "$0-$1"`, mainContainer(func(c *corev1.Container) { c.Args = []string{"a", "b"} })),
			completed("a-b\n")},
		{"a program that is not there says so", shell("", mainContainer(func(c *corev1.Container) { c.Command = []string{"no-such-program"} })),
			outcome{Phase: corev1.PodFailed, ExitCode: 128, Reason: "StartError",
				Message: `the command did not start: executable "no-such-program" not found in the container's PATH`}},
		{"without a command there is nothing to run: images are not used", shell("", mainContainer(func(c *corev1.Container) { c.Command = nil })),
			outcome{Phase: corev1.PodFailed, ExitCode: 128, Reason: "NoCommand",
				Message: "the container has no command: this node does not use images, so the pod has to say what to run"}},

		{"the termination message is what the container wrote", shell("printf why > /dev/termination-log; exit 1"),
			outcome{Phase: corev1.PodFailed, ExitCode: 1, Reason: "Error", Message: "why"}},
		{"its path can be chosen, and need not exist on the host", shell("printf '%s' $TERMINATION_LOG_PATH > /result/message",
			mainContainer(func(c *corev1.Container) { c.TerminationMessagePath = "/result/message" })),
			outcome{Phase: corev1.PodSucceeded, Reason: "Completed", Message: "/result/message"}},
		{"it keeps its last 4096 bytes", shell("head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log"),
			outcome{Phase: corev1.PodSucceeded, Reason: "Completed", Message: strings.Repeat("x", 4096)}},
		{"a failure without a message falls back to the log when asked to", shell("echo cause; exit 2", fallback),
			outcome{Phase: corev1.PodFailed, ExitCode: 2, Reason: "Error", Message: "cause\n", Log: "cause\n"}},
		{"a success does not fall back", shell("echo fine", fallback), completed("fine\n")},

		{"variables are expanded in variables and arguments; $$ is a dollar; unknown names stay",
			shell("echo $B $(A) '$$(A)' '$(NOBODY)'", env(corev1.EnvVar{Name: "A", Value: "one"}, corev1.EnvVar{Name: "B", Value: "$(A)-two"})),
			completed("one-two one $(A) $(NOBODY)\n")},
		{"Secrets and ConfigMaps are variables", shell("echo $S $C $MAP_greeting $MISSING.", env(
			corev1.EnvVar{Name: "S", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: secretKey}},
			corev1.EnvVar{Name: "C", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: configKey}},
			corev1.EnvVar{Name: "MISSING", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "absent"}, Key: "x", Optional: &yes}}},
		), mainContainer(func(c *corev1.Container) {
			c.EnvFrom = []corev1.EnvFromSource{{Prefix: "MAP_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: configKey.LocalObjectReference}}}
		})), completed("hunter2 hello hello .\n")},
		{"fields of the pod are variables", shell("echo $NAME $NODE $IP $COLOUR; test -n \"$ID\"", env(field("NAME", "metadata.name"),
			field("NODE", "spec.nodeName"), field("IP", "status.podIP"), field("COLOUR", "metadata.labels['colour']"), field("ID", "metadata.uid"))),
			completed("pod kubestack 127.0.0.1 green\n")},

		{"a Secret is files with the mode wished for, at a path the host does not have",
			shell("cat /secrets/deep/token; stat -L -c ' %a' /secrets/deep/token",
				mount("s", "/secrets/deep", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "secret", DefaultMode: &secretMode}})),
			completed("hunter2 400\n")},
		{"ConfigMap, downward API and token share a projected volume",
			shell("cat /etc/drydock/hi /etc/drydock/name; test -s /etc/drydock/token", mount("p", "/etc/drydock", corev1.VolumeSource{
				Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
					{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: configKey.LocalObjectReference,
						Items: []corev1.KeyToPath{{Key: "greeting", Path: "hi"}}}},
					{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
						{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}},
					{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", Audience: "anyone"}},
				}}})), completed("hellopod")},
		{"an emptyDir is shared by the containers, and a mount inside it lands in it",
			shell("cat /workspace/a /workspace/in/token", initContainer("printf first > /workspace/a"),
				mount("w", "/workspace", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}),
				mount("s", "/workspace/in", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "secret"}})),
			completed("firsthunter2")},
		{"a hostPath is the host's", shell("cat /host/file", mount("h", "/host", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: hostDir}})),
			completed("of the host")},
		{"workingDir is honoured", shell("pwd", mainContainer(func(c *corev1.Container) { c.WorkingDir = "/usr" })), completed("/usr\n")},
		{"a pod reaches the API with its service account",
			shell(`"$KUBESTACK" kubectl auth whoami -o jsonpath='{.status.userInfo.groups[2]}'`, env(corev1.EnvVar{Name: "KUBESTACK", Value: binary})),
			completed("system:authenticated")},

		{"init containers run one after the other, before the others", shell("cat /w/log", initContainer("sleep 0.3; echo a >> /w/log"),
			initContainer("echo b >> /w/log"), mount("w", "/w", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})), completed("a\nb\n")},
		{"OnFailure starts again until it works", shell("test -e /w/again || { touch /w/again; exit 1; }", restartPolicy(corev1.RestartPolicyOnFailure),
			mount("w", "/w", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})),
			outcome{Phase: corev1.PodSucceeded, Reason: "Completed", Restarts: 1}},
		{"a pod that takes too long has failed with DeadlineExceeded", shell("trap 'exit 0' TERM; sleep 60 & wait", deadline(3)),
			outcome{Phase: corev1.PodFailed, PodReason: "DeadlineExceeded", Reason: "Completed"}},
		{"more memory than the limit is OOMKilled, also in a child process", shell("sh -c 'x=$(head -c 100000000 /dev/zero | tr \"\\0\" x); echo ${#x}'; echo survived",
			memoryLimit("32Mi")), failed(137, "OOMKilled")},
		{"less memory is fine", shell("x=$(head -c 5000000 /dev/zero | tr '\\0' x); sleep 0.3; echo ${#x}", memoryLimit("64Mi")), completed("5000000\n")},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			space := namespace(t, shared)
			furnish(t, space)
			create(t, shared, space, test.pod)
			pod := untilEnded(t, shared, space, "pod")
			status := pod.Status.ContainerStatuses[0]
			got := outcome{Phase: pod.Status.Phase, PodReason: pod.Status.Reason, Restarts: status.RestartCount}
			if ended := status.State.Terminated; ended != nil {
				got.ExitCode, got.Reason, got.Message = ended.ExitCode, ended.Reason, ended.Message
			}
			if got.Reason != "StartError" && got.Reason != "NoCommand" {
				got.Log = shared.kubectl(t, "-n", space, "logs", "pod")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("nothing of it is on the host", func(t *testing.T) {
		for _, path := range []string{"/secrets", "/workspace", "/etc/drydock", "/host", "/result", "/w", "/dev/termination-log"} {
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%s was made on the host", path)
			}
		}
	})
}

// furnish puts a Secret and a ConfigMap into a namespace.
func furnish(t *testing.T, namespace string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "secret"}, StringData: map[string]string{"token": "hunter2"}}
	if _, err := shared.client.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "config"}, Data: map[string]string{"greeting": "hello"}}
	if _, err := shared.client.CoreV1().ConfigMaps(namespace).Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
