package cluster_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/deploy"
)

// installed installs service accounts, roles and policies into a namespace, as
// kustomize does with an overlay's `namespace:`, which knows nothing of what policies say.
func (w *world) installed(t *testing.T, namespace string) {
	t.Helper()
	for _, name := range []string{"namespace.yaml", "rbac.yaml"} {
		manifest, err := deploy.Files.ReadFile(name)
		must(t, err)
		must(t, cluster.Apply(t.Context(), w.kubeconfig, bytes.ReplaceAll(manifest, []byte(v1alpha1.SystemNamespace), []byte(namespace))))
	}
	manifest, err := deploy.Files.ReadFile("admission.yaml")
	must(t, err)
	must(t, cluster.Apply(t.Context(), w.kubeconfig, manifest))
	for _, account := range []string{"drydock-gateway", "drydock-controller"} {
		c := w.clientOf(t, namespace, account)
		eventually(t, "the policy holds "+account, func() bool {
			_, secret := c.CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{DryRun: try})
			return denied(secret, account) || denied(createConfig("a", "")(t, w, c, "default"), account)
		})
	}
}

// clientOf may do what a service account may, and no more.
func (w *world) clientOf(t *testing.T, namespace, account string) *kubernetes.Clientset {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	must(t, err)
	config.QPS = -1
	config.Impersonate.UserName = "system:serviceaccount:" + namespace + ":" + account
	config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	c, err := kubernetes.NewForConfig(config)
	must(t, err)
	return c
}

// denied tells whether a policy refused.
func denied(err error, policy string) bool {
	return err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+policy+"'")
}

// account makes an account's namespace.
func (w *world) account(t *testing.T) (namespace string) {
	t.Helper()
	login := newLogin()
	must(t, w.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.Namespace(login),
		Annotations: map[string]string{v1alpha1.AnnotationLogin: login}}}))
	return v1alpha1.Namespace(login)
}

// TestGatewaySeesNoSecret: whatever it says with a deletion, the answer does not show
// what is deleted.
func TestGatewaySeesNoSecret(t *testing.T) {
	w := newWorld(t)
	cases := []struct {
		reason, query, options string
		finalizers             []string
		refused                bool
	}{
		{"as Drydock does it", "", "", nil, false},
		{"with a precondition", "", `{"preconditions":{"resourceVersion":"%"}}`, nil, false},
		{"as a try that orphans", "", `{"propagationPolicy":"Orphan","dryRun":["All"]}`, nil, true},
		{"as a try that waits for dependents", "", `{"propagationPolicy":"Foreground","dryRun":["All"]}`, nil, true},
		{"as a try, by the address", "?dryRun=All&propagationPolicy=Orphan", "", nil, true},
		{"as a try", "", `{"dryRun":["All"]}`, nil, true},
		{"orphaning", "", `{"propagationPolicy":"Orphan"}`, nil, true},
		{"waiting for dependents", "?propagationPolicy=Foreground", "", nil, true},
		{"in the background, by name", "", `{"propagationPolicy":"Background"}`, nil, true},
		{"orphaning, the old way", "", `{"orphanDependents":true}`, nil, true},
		{"waiting for dependents, the old way", "", `{"orphanDependents":false}`, nil, true},
		{"while a finalizer holds it", "", "", []string{"example.com/kept"}, true},
	}
	for _, namespace := range []string{v1alpha1.SystemNamespace, "drydock-elsewhere"} {
		w.installed(t, namespace)
		gateway := w.clientOf(t, namespace, "drydock-gateway").CoreV1().RESTClient()
		home := w.account(t)
		for _, c := range cases {
			t.Run(namespace+"/"+c.reason, func(t *testing.T) {
				secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, GenerateName: "a-", Finalizers: c.finalizers}, StringData: map[string]string{"password": hidden}}
				must(t, w.Create(t.Context(), secret))
				options := strings.ReplaceAll(c.options, "%", secret.ResourceVersion)
				answer, err := gateway.Delete().RequestURI("/api/v1/namespaces/"+home+"/secrets/"+secret.Name+c.query).
					SetHeader("Content-Type", "application/json").Body([]byte(options)).DoRaw(t.Context())
				if bytes.Contains(answer, []byte(`"data"`)) {
					t.Errorf("the answer shows the Secret: %s", answer)
				}
				if refused := strings.Contains(string(answer), "ValidatingAdmissionPolicy 'drydock-gateway'"); refused != c.refused || (err != nil) != c.refused {
					t.Errorf("refused: %v, want %v: %v: %s", refused, c.refused, err, answer)
				}
				err = w.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
				if apierrors.IsNotFound(err) == c.refused || c.refused && !secret.DeletionTimestamp.IsZero() {
					t.Errorf("afterwards: %v, deleted at %v", err, secret.DeletionTimestamp)
				}
			})
		}
	}
}

// TestGatewayKeepsToAccounts: the gateway writes nothing into the installation's own
// namespace, wherever that is.
func TestGatewayKeepsToAccounts(t *testing.T) {
	w := newWorld(t)
	for _, installation := range []string{v1alpha1.SystemNamespace, "drydock-elsewhere"} {
		w.installed(t, installation)
		gateway := w.clientOf(t, installation, "drydock-gateway").CoreV1()
		for namespace, want := range map[string]bool{installation: true, v1alpha1.SystemNamespace: true, "kube-system": true, w.account(t): false} {
			_, err := gateway.Secrets(namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{DryRun: try})
			if denied(err, "drydock-gateway") != want || (err != nil) != want {
				t.Errorf("the gateway of %s writes a Secret into %s: %v", installation, namespace, err)
			}
		}
	}
}

// TestControllerKeepsToBuilds: the controller writes what belongs to builds, the ledger
// and the notices, and its Jobs get nothing of the cluster's or of their node's.
func TestControllerKeepsToBuilds(t *testing.T) {
	w := newWorld(t)
	const home, installation, system = "an account's", "the installation's", "kube-system"
	const ledger = "drydock-ledger-2026-01-01-0"
	nothing := func(*corev1.PodSpec) {}
	volume := func(source corev1.VolumeSource) func(*corev1.PodSpec) {
		return func(pod *corev1.PodSpec) {
			pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "more", VolumeSource: source})
		}
	}
	cases := []struct {
		reason, where string
		do            act
		refused       bool
	}{
		{"a build's Job", home, createJob(nothing), false},
		{"a Job beside the installation", installation, createJob(nothing), true},
		{"a Job in a namespace of Kubernetes'", system, createJob(nothing), true},
		{"a Job as another service account", home, createJob(func(p *corev1.PodSpec) { p.ServiceAccountName = "other" }), true},
		{"a Job with its service account's token", home, createJob(func(p *corev1.PodSpec) { p.AutomountServiceAccountToken = nil }), true},
		{"a Job with a token in a volume", home, createJob(volume(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}})), true},
		{"a Job in its node's network", home, createJob(func(p *corev1.PodSpec) { p.HostNetwork = true }), true},
		{"a Job among its node's processes", home, createJob(func(p *corev1.PodSpec) { p.HostPID = true }), true},
		{"a Job in its node's memory", home, createJob(func(p *corev1.PodSpec) { p.HostIPC = true }), true},
		{"a Job with its node's files", home, createJob(volume(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}})), true},
		{"a privileged Job", home, createJob(func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
		}), true},
		{"a Job with a container that rules its node before the others", home, createJob(func(p *corev1.PodSpec) {
			p.InitContainers = []corev1.Container{{Name: "first", Image: "example.com/first", SecurityContext: &corev1.SecurityContext{
				Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}}}}
		}), true},
		{"a new log", home, createConfig("new-log", "app-1"), false},
		{"a log in place of another", home, updateConfig("log", "app-1", "app-1"), false},
		{"a new page of the ledger", home, createConfig("drydock-ledger-2026-01-02-0", ""), false},
		{"another line of the ledger", home, updateConfig(ledger, "", ""), false},
		{"a page of the ledger goes", home, deleteConfig(ledger, ""), false},
		{"a page of the ledger elsewhere", system, updateConfig(ledger, "", ""), true},
		{"new notices", installation, createConfig(cluster.NoticesName, ""), false},
		{"more notices", installation, updateConfig(cluster.NoticesName, "", ""), false},
		{"notices go", installation, deleteConfig(cluster.NoticesName, ""), true},
		{"another ConfigMap beside the installation", installation, createConfig("settings", "app-1"), true},
		{"an account's certificates, called a log", home, updateConfig("certificates", "", "app-1"), true},
		{"an account's certificates go", home, deleteConfig("certificates", ""), true},
		{"a log becomes something else", home, updateConfig("other-log", "app-1", ""), true},
		{"who may sign in to a cloud's cluster", system, updateConfig("aws-auth", "", "app-1"), true},
		{"nobody may sign in any more", system, deleteConfig("aws-auth", "app-1"), true},
		{"a build's pod goes", home, deletePod("app-1"), false},
		{"somebody's pod goes", home, deletePod(""), true},
		{"a pod of Kubernetes' goes", system, deletePod("app-1"), true},
	}
	for _, namespace := range []string{v1alpha1.SystemNamespace, "drydock-elsewhere"} {
		w.installed(t, namespace)
		controller := w.clientOf(t, namespace, "drydock-controller")
		places := map[string]string{home: w.account(t), installation: namespace, system: system}
		// What another test announced is in the way of new notices.
		must(t, client.IgnoreNotFound(w.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cluster.NoticesName}})))
		for _, c := range cases {
			t.Run(namespace+"/"+c.reason, func(t *testing.T) {
				err := c.do(t, w, controller, places[c.where])
				if denied(err, "drydock-controller") != c.refused || (err != nil) != c.refused {
					t.Errorf("refused: %v, want %v", err, c.refused)
				}
			})
		}
	}
}

// act is what a service account tries in a namespace.
type act func(*testing.T, *world, *kubernetes.Clientset, string) error

var try = []string{metav1.DryRunAll}

// createJob tries a Job such as the controller makes, but for a change.
func createJob(change func(*corev1.PodSpec)) act {
	return func(t *testing.T, _ *world, c *kubernetes.Clientset, namespace string) error {
		pod := corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: new(false),
			Containers: []corev1.Container{{Name: "build", Image: "example.com/build"}},
			Volumes: []corev1.Volume{{Name: "empty"}, {Name: "logins", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "a"}}}}}}}}}
		change(&pod)
		job := &batchv1.Job{ObjectMeta: marked(namespace, "a", "app-1"), Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: pod}}}
		_, err := c.BatchV1().Jobs(namespace).Create(t.Context(), job, metav1.CreateOptions{DryRun: try})
		return err
	}
}

func createConfig(name, build string) act {
	return func(t *testing.T, _ *world, c *kubernetes.Clientset, namespace string) error {
		_, err := c.CoreV1().ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: marked(namespace, name, build)}, metav1.CreateOptions{DryRun: try})
		return err
	}
}

// updateConfig tries to change a ConfigMap and the build that it bears the label of.
func updateConfig(name, before, after string) act {
	return func(t *testing.T, w *world, c *kubernetes.Clientset, namespace string) error {
		w.provide(t, &corev1.ConfigMap{ObjectMeta: marked(namespace, name, before)})
		_, err := c.CoreV1().ConfigMaps(namespace).Update(t.Context(), &corev1.ConfigMap{ObjectMeta: marked(namespace, name, after)}, metav1.UpdateOptions{DryRun: try})
		return err
	}
}

func deleteConfig(name, build string) act {
	return func(t *testing.T, w *world, c *kubernetes.Clientset, namespace string) error {
		w.provide(t, &corev1.ConfigMap{ObjectMeta: marked(namespace, name, build)})
		return c.CoreV1().ConfigMaps(namespace).Delete(t.Context(), name, metav1.DeleteOptions{DryRun: try})
	}
}

func deletePod(build string) act {
	return func(t *testing.T, w *world, c *kubernetes.Clientset, namespace string) error {
		name := "pod" + build // of its own: a pod's deletion may take a while
		w.provide(t, &corev1.Pod{ObjectMeta: marked(namespace, name, build), Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(false), NodeSelector: map[string]string{"of": "none"},
			Containers: []corev1.Container{{Name: "build", Image: "example.com/build"}}}})
		return c.CoreV1().Pods(namespace).Delete(t.Context(), name, metav1.DeleteOptions{DryRun: try})
	}
}

func marked(namespace, name, build string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	if build != "" {
		meta.Labels = map[string]string{v1alpha1.LabelBuild: build}
	}
	return meta
}

// provide has an object be there until the test ends.
func (w *world) provide(t *testing.T, object client.Object) {
	t.Helper()
	must(t, client.IgnoreAlreadyExists(w.Create(t.Context(), object)))
	t.Cleanup(func() { _ = w.Delete(context.WithoutCancel(t.Context()), object, client.GracePeriodSeconds(0)) })
}
