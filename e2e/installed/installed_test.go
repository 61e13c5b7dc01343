package installed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// TestInstalled runs what `kubectl apply -k` installs: two gateways and two controllers in pods, with the tokens of their
// service accounts. Somebody signs up at one gateway and builds an image, which the other one shows and the meter counts.
// Then the chart is applied over it, and changes nothing.
func TestInstalled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", house.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			showLogs(t, typed)
		}
	})
	gateways := running(ctx, t, typed)
	build(ctx, t, client.New(gateways[0]), gateways[1])
	checkAccounts(t)

	admin, err := kube.New(config, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chart, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	before := generations(ctx, t, admin, chart)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "chart.yaml"), string(chart))
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [chart.yaml]\n")
	manifests, err := overlay(house, dir)
	if err == nil {
		err = cluster.Apply(ctx, house.Kubeconfig, manifests...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, generations(ctx, t, admin, chart)); diff != "" {
		t.Errorf("the chart changed what kustomize installed (-kustomize +chart):\n%s", diff)
	}
}

// ready is how a gateway says where it is.
var ready = regexp.MustCompile(`(?m)^drydock: ready at (\S+)`)

// running waits until both Deployments have what they want, and gives the gateways' addresses.
func running(ctx context.Context, t *testing.T, typed *kubernetes.Clientset) (gateways []string) {
	t.Helper()
	err := stack.Until(ctx, func() error {
		list, err := typed.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil || len(list.Items) != 2 {
			return fmt.Errorf("%d Deployments, want 2: %w", len(list.Items), err)
		}
		for _, d := range list.Items {
			if s := d.Status; s.AvailableReplicas != 2 || s.UpdatedReplicas != 2 {
				return fmt.Errorf("%s: %s", d.Name, conditions(d))
			}
		}
		gateways = nil
		pods, err := typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=drydock-gateway"})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			log, err := typed.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
			if err != nil {
				return err
			}
			found := ready.FindSubmatch(log)
			if found == nil {
				return fmt.Errorf("%s is not ready:\n%s", pod.Name, log)
			}
			gateways = append(gateways, string(found[1]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return gateways
}

// showLogs tells what the controllers said.
func showLogs(t *testing.T, typed *kubernetes.Clientset) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pods, err := typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=drydock-controller"})
	if err != nil {
		t.Log(err)
		return
	}
	for _, pod := range pods.Items {
		log, err := typed.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		t.Logf("%s: %v\n%s", pod.Name, err, log)
	}
}

func conditions(d appsv1.Deployment) (text string) {
	for _, condition := range d.Status.Conditions {
		text += fmt.Sprintf("%s is %s: %s; ", condition.Type, condition.Status, condition.Message)
	}
	return text
}

// build signs somebody up, and builds and pushes an image; the other gateway shows how it goes.
func build(ctx context.Context, t *testing.T, ada *client.Client, other string) {
	t.Helper()
	login := "ada-" + strings.ToLower(rand.Text()[:8])
	do := func(c *client.Client, query string, variables map[string]any, data any) {
		t.Helper()
		if err := c.Do(ctx, client.Request{Query: query, Variables: variables}, data); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	repository, err := house.Repository(ctx, login, fstest.MapFS{
		"Dockerfile": {Data: []byte("FROM scratch\nCOPY Dockerfile /\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ada.SignIn(ctx, login); err != nil {
		t.Fatal(err)
	}
	var created struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	do(ada, `mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`, map[string]any{"in": map[string]any{
		"name": "hello", "source": map[string]any{"repository": repository}, "destination": house.Registry + "/" + login + "/hello",
	}}, &created)
	var started struct {
		StartBuild struct{ Build struct{ ID string } }
	}
	do(ada, `mutation($image: ID!) { startBuild(input: {image: $image}) { build { id } } }`, map[string]any{"image": created.CreateImage.Image.ID}, &started)
	var shown struct {
		Build struct {
			Phase           string
			Message, Digest *string
			BilledSeconds   *int64
		}
	}
	err = stack.Until(ctx, func() error {
		err := ada.At(other).Do(ctx, client.Request{Query: `query($id: ID!) { build(id: $id) { phase message digest billedSeconds } }`,
			Variables: map[string]any{"id": started.StartBuild.Build.ID}}, &shown)
		switch {
		case err != nil:
			return err
		case shown.Build.Phase == "FAILED":
			t.Fatalf("the build failed: %s", *shown.Build.Message)
		case shown.Build.Phase != "SUCCEEDED" || shown.Build.BilledSeconds == nil:
			return errors.New("the build is " + shown.Build.Phase)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if digest, err := house.Digest(ctx, login+"/hello", "latest"); err != nil || digest != *shown.Build.Digest {
		t.Errorf("the registry has %q (%v), the build says %q", digest, err, *shown.Build.Digest)
	}
	if seconds, err := house.Stripe.Metered(ctx, login); err != nil || seconds != *shown.Build.BilledSeconds {
		t.Errorf("the meter counted %d s (%v), the build says %d s", seconds, err, *shown.Build.BilledSeconds)
	}
}

// checkAccounts holds that all of it was asked as the service accounts, which lacked no right.
func checkAccounts(t *testing.T) {
	t.Helper()
	events, err := house.KubernetesRequests("")
	if err != nil {
		t.Fatal(err)
	}
	requests := map[string]int{}
	for _, e := range events {
		account, ours := strings.CutPrefix(e.User, "system:serviceaccount:"+namespace+":")
		if !ours {
			continue
		}
		requests[account]++
		if e.Forbidden {
			t.Errorf("%s may not %s %s.%s in %q", account, e.Verb, e.Resource, e.Group, e.Namespace)
		}
	}
	for _, account := range []string{stack.GatewayAccount, stack.ControllerAccount} {
		if requests[account] == 0 {
			t.Errorf("nothing was asked as %s: %v", account, requests)
		}
	}
}

// generations tell how often each object's wish was changed, and which object it is.
func generations(ctx context.Context, t *testing.T, admin kube.Client, manifest []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, object := range objects(t, manifest) {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(object.GroupVersionKind())
		if err := admin.Get(ctx, kube.ObjectKeyFromObject(object), now); err != nil {
			t.Fatal(err)
		}
		version := fmt.Sprint(now.GetGeneration())
		if now.GetGeneration() == 0 { // kinds that have none have no status either
			version = now.GetResourceVersion()
		}
		all[name] = string(now.GetUID()) + " " + version
	}
	return all
}
