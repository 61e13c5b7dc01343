package controller_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// limits are what the walls of an account allow: pods, and each container's CPU and memory.
func (w *world) limits() (found [3]string) {
	w.t.Helper()
	var quota corev1.ResourceQuota
	var ranges corev1.LimitRange
	if w.wall(&quota) && w.wall(&ranges) && len(ranges.Spec.Limits) == 1 {
		most := ranges.Spec.Limits[0].Max
		found = [3]string{quota.Status.Hard.Pods().String(), most.Cpu().String(), most.Memory().String()}
	}
	return found
}

// wall reads a wall; false where it is not there.
func (w *world) wall(wall client.Object) bool {
	w.t.Helper()
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "drydock"}, wall)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	return err == nil
}

// plan changes the default plan's limits at Stripe, and has the controller hear of it as
// from another replica.
func (w *world) plan(limits map[string]string) {
	w.t.Helper()
	const product = "prod_drydock_free"
	form := url.Values{}
	for key, value := range limits {
		form.Set("metadata[drydock."+key+"]", value)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.stripeURL+"/v1/products/"+product, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sk_test_controller")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("Stripe says %s", response.Status)
	}
	w.billing.Hear([]string{"product:" + product})
}

// TestWallsFollowThePlan: an account's limits in the cluster are its plan's as they are
// now, and those of builds that were started with larger ones, as long as these have not ended.
func TestWallsFollowThePlan(t *testing.T) {
	w := newWorld(t)
	w.shellStrategy("walls", `while [ ! -e "$DRYDOCK_REPOSITORY" ]; do sleep 0.1; done
printf '{"digest":"sha256:%064d","tags":["%s"]}' 1 "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"`)
	w.plan(map[string]string{"concurrent_builds": "2", "cpu": "1", "memory": "1Gi"})
	w.run(func(o *controller.Options) { o.Strategy = "walls" })
	becomes := func(reason string, want ...string) {
		t.Helper()
		w.eventually(reason, func() bool {
			found := w.limits()
			return slices.Equal(want, found[:])
		})
	}
	becomes("a new account has its plan's limits", "4", "1", "1Gi")
	w.plan(map[string]string{"concurrent_builds": "5", "cpu": "4", "memory": "3Gi"})
	becomes("a larger plan", "10", "4", "3Gi")
	image := w.image("app")
	flag := t.TempDir() + "/go"
	build := w.build(image, 1, func(b *v1alpha1.Build) {
		b.Spec.Source.Repository = "https://example.com" + flag
		b.Spec.Limits.ConcurrentBuilds, b.Spec.Limits.CPU, b.Spec.Limits.Memory = 7, resource.MustParse("5"), resource.MustParse("2Gi")
	})
	becomes("a build of a plan before that had more of some", "14", "5", "3Gi")
	w.await(build, "building", building)
	w.plan(map[string]string{"concurrent_builds": "1", "cpu": "1", "memory": "1Gi"})
	becomes("a smaller plan, while it runs", "14", "5", "2Gi")
	w.cancel(build)
	w.await(build, "ended", ended)
	becomes("a smaller plan, after it", "2", "1", "1Gi")
	w.settled()
}

// TestWallsStand: whoever goes past the queue meets them, and what somebody changes in
// them is put right, while builds go on.
func TestWallsStand(t *testing.T) {
	w := newWorld(t)
	w.shellStrategy("stand", `printf '{"digest":"sha256:%064d","tags":["%s"]}' 1 "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"`)
	w.plan(map[string]string{"concurrent_builds": "1", "cpu": "1", "memory": "1Gi"})
	w.run(func(o *controller.Options) { o.Strategy = "stand" })
	standing := func() bool { return w.limits() == [3]string{"2", "1", "1Gi"} && w.wall(&networkingv1.NetworkPolicy{}) }
	w.eventually("the walls are there", standing)
	pod := func(name string, change func(*corev1.PodSpec)) error {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
		p.Spec.SchedulerName = "nobody" // it is not to run
		p.Spec.Containers = []corev1.Container{{Name: "a", Image: "none"}}
		change(&p.Spec)
		return w.kube.Create(t.Context(), p)
	}
	for _, c := range []struct {
		reason, says string
		change       func(*corev1.PodSpec)
	}{
		{"more CPU than the plan", "maximum cpu usage", func(p *corev1.PodSpec) {
			p.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}
		}},
		{"more memory than the plan", "maximum memory usage", func(p *corev1.PodSpec) {
			p.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}
		}},
		{"the node's network", "violates PodSecurity \"baseline", func(p *corev1.PodSpec) { p.HostNetwork = true }},
		{"privileges", "violates PodSecurity \"baseline", func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
		}},
	} {
		if err := pod("refused", c.change); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
	for i, name := range []string{"one", "two", "three"} {
		err := pod(name, func(*corev1.PodSpec) {}) // the LimitRange gives it limits
		if exceeded := err != nil && strings.Contains(err.Error(), "exceeded quota: drydock"); exceeded != (i == 2) {
			t.Errorf("pod %s of 2: %v", name, err)
		}
	}
	w.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "one"}}, client.GracePeriodSeconds(0))
	w.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "two"}}, client.GracePeriodSeconds(0))
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "a"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	if err := w.kube.Create(t.Context(), service); !apierrors.IsForbidden(err) {
		t.Errorf("a Service: %v", err)
	}
	w.harm()
	w.eventually("the walls are put right", func() bool {
		var policy networkingv1.NetworkPolicy
		return standing() && w.wall(&policy) && len(policy.Spec.Egress) == 2 && len(policy.Labels) == 1
	})
	if status := w.await(w.build(w.image("app"), 1), "ended", ended).Status; status.Phase != v1alpha1.PhaseSucceeded {
		t.Errorf("status %+v", status)
	}
	w.settled()
}

// harm damages each wall in its own way.
func (w *world) harm() {
	w.t.Helper()
	var ranges corev1.LimitRange
	var policy networkingv1.NetworkPolicy
	var home corev1.Namespace
	w.wall(&ranges)
	w.wall(&policy)
	if err := w.kube.Get(w.t.Context(), client.ObjectKey{Name: w.namespace}, &home); err != nil {
		w.t.Fatal(err)
	}
	ranges.Spec.Limits[0].Max[corev1.ResourceCPU] = resource.MustParse("64")
	policy.Labels, policy.Spec.Egress = nil, []networkingv1.NetworkPolicyEgressRule{{}} // out of the controller's sight, and all open
	home.Labels["pod-security.kubernetes.io/enforce"] = "privileged"
	for _, object := range []client.Object{&ranges, &policy, &home} {
		if err := w.kube.Update(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
	w.delete(&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "drydock"}})
}

// TestWallsOfTheNetwork: what builds may reach, by the policy that the API server took.
// Who enforces it is the cluster's network plugin.
func TestWallsOfTheNetwork(t *testing.T) {
	w := newWorld(t)
	w.run(func(o *controller.Options) {
		o.Network = controller.Network{
			Cluster: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fc00::/7")},
			Allowed: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/32")},
		}
	})
	var policy networkingv1.NetworkPolicy
	w.eventually("the policy is there", func() bool { return w.wall(&policy) })
	want := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	if diff := cmp.Diff(want, policy.Spec.PolicyTypes); diff != "" || len(policy.Spec.Ingress) != 0 || policy.Spec.PodSelector.Size() != 0 {
		t.Errorf("it does not close the way in to every pod: %+v", policy.Spec)
	}
	for _, c := range []struct {
		reason, address string
		port            int32
		want            bool
	}{
		{"a registry in the world", "93.184.216.34", 443, true},
		{"the same by IPv6", "2606:2800:220:1::1", 443, true},
		{"a pod", "10.20.30.40", 443, false},
		{"the cloud's metadata", "169.254.169.254", 80, false},
		{"a pod by IPv6", "fd00::1", 443, false},
		{"the registry that the operator allows", "10.1.2.3", 5000, true},
		{"DNS on the node", "169.254.20.10", 53, true},
		{"something else there", "169.254.20.10", 80, false},
	} {
		if got := reaches(policy.Spec.Egress, netip.MustParseAddr(c.address), c.port); got != c.want {
			t.Errorf("%s, %s:%d: %v", c.reason, c.address, c.port, got)
		}
	}
}

// reaches tells whether rules let an address through, as the API's description has it:
// https://kubernetes.io/docs/concepts/services-networking/network-policies/
func reaches(rules []networkingv1.NetworkPolicyEgressRule, to netip.Addr, port int32) bool {
	return slices.ContainsFunc(rules, func(rule networkingv1.NetworkPolicyEgressRule) bool {
		open := len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port.IntVal == port })
		return open && slices.ContainsFunc(rule.To, func(peer networkingv1.NetworkPolicyPeer) bool {
			return peer.IPBlock != nil && netip.MustParsePrefix(peer.IPBlock.CIDR).Contains(to) &&
				!slices.ContainsFunc(peer.IPBlock.Except, func(out string) bool { return netip.MustParsePrefix(out).Contains(to) })
		})
	})
}

// TestWallsAreAllItChanges: beside walls the controller changes nothing of namespaces,
// and no quota or policy of others.
func TestWallsAreAllItChanges(t *testing.T) {
	w := newWorld(t)
	robbed, err := client.New(w.controllerConfig(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	merge := func(patch string) func(context.Context) error {
		return func(ctx context.Context) error {
			return robbed.Patch(ctx, home, client.RawPatch("application/merge-patch+json", []byte(patch)), client.DryRunAll)
		}
	}
	for _, c := range []struct {
		reason string
		do     func(context.Context) error
		want   bool
	}{
		{"the Pod Security label", merge(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`), true},
		{"another label", merge(`{"metadata":{"labels":{"a":"b"}}}`), false},
		{"whose it is", merge(`{"metadata":{"annotations":{"drydock.dev/customer":"cus_other"}}}`), false},
		{"a policy of somebody else", func(ctx context.Context) error {
			return robbed.Create(ctx, &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "open"}}, client.DryRunAll)
		}, false},
		{"a wall elsewhere", func(ctx context.Context) error {
			return robbed.Create(ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "drydock"}}, client.DryRunAll)
		}, false},
	} {
		w.eventually(c.reason, func() bool { return (c.do(t.Context()) == nil) == c.want })
	}
}

// TestWallsCountImages: an account has as many images as its plan allows now, from when
// the cluster counts them.
func TestWallsCountImages(t *testing.T) {
	const counted corev1.ResourceName = "count/images.drydock.dev"
	w := newWorld(t)
	quota := func(namespace, name string) *corev1.ResourceQuota {
		q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		q.Spec.Hard = corev1.ResourceList{counted: resource.MustParse("100")}
		return q
	}
	counts := func(q *corev1.ResourceQuota) bool {
		err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(q), q)
		_, is := q.Status.Used[counted]
		return err == nil && is
	}
	w.eventually("the cluster counts images", func() bool { // a new quota is looked at at once
		try := quota(w.namespace, "try")
		w.create(try)
		defer w.delete(try)
		return slices.ContainsFunc(make([]bool, 20), func(bool) bool { pause(t); return counts(try) })
	})
	w.delete(quota(v1alpha1.SystemNamespace, "drydock-images")) // of a controller from before
	w.plan(map[string]string{"images": "2"})
	w.run()
	limit := func(want string) {
		t.Helper()
		w.eventually("the limit is "+want, func() bool {
			q := quota(w.namespace, "drydock-images")
			return counts(q) && q.Status.Hard[counted].Equal(resource.MustParse(want))
		})
	}
	limit("2")
	w.plan(map[string]string{"images": "1"})
	limit("1")
	w.image("one")
	second := &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "two"}, Spec: v1alpha1.ImageSpec{Recipe: v1alpha1.Recipe{
		Source: v1alpha1.GitSource{Repository: w.git.url("sample")}, Destination: w.registry + "/two",
	}}}
	if err := w.kube.Create(t.Context(), second); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota: drydock-images") {
		t.Errorf("a second image: %v", err)
	}
}
