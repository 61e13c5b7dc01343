package controller

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AnnotationPodSecurity on a strategy's PodTemplate names the Pod Security Standard that
// its pods keep to: restricted, baseline (also where absent) or privileged. Accounts'
// namespaces enforce it.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/
const AnnotationPodSecurity = "drydock.dev/pod-security"

const labelEnforce = "pod-security.kubernetes.io/enforce"

// Network is what builds may reach: all but Cluster, of that what is Allowed.
type Network struct{ Cluster, Allowed []netip.Prefix }

// networkPolicy lets builds reach the world and the cluster's DNS, and nothing reach
// builds. What is inside the cluster they do not reach, except what is allowed.
func networkPolicy(network Network) networkingv1.NetworkPolicySpec {
	port := func(protocol corev1.Protocol) networkingv1.NetworkPolicyPort {
		return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt32(53))}
	}
	dns := networkingv1.NetworkPolicyEgressRule{
		Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolUDP), port(corev1.ProtocolTCP)},
		To: []networkingv1.NetworkPolicyPeer{
			{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: metav1.NamespaceSystem}}},
			{IPBlock: &networkingv1.IPBlock{CIDR: "169.254.20.10/32"}}, // NodeLocal DNSCache
		},
	}
	world := networkingv1.NetworkPolicyEgressRule{}
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		block := &networkingv1.IPBlock{CIDR: all}
		for _, inside := range network.Cluster {
			if inside.Addr().Is4() == netip.MustParsePrefix(all).Addr().Is4() {
				block.Except = append(block.Except, inside.String())
			}
		}
		world.To = append(world.To, networkingv1.NetworkPolicyPeer{IPBlock: block})
	}
	for _, allowed := range network.Allowed {
		world.To = append(world.To, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: allowed.String()}})
	}
	return networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		Egress:      []networkingv1.NetworkPolicyEgressRule{dns, world},
	}
}

// secure sets a namespace's Pod Security label.
func (w *walls) secure(ctx context.Context, namespace *corev1.Namespace, strategy *corev1.PodTemplate) error {
	level := strategy.Annotations[AnnotationPodSecurity]
	if level != "restricted" && level != "privileged" {
		level = "baseline"
	}
	if namespace.Labels[labelEnforce] == level {
		return nil
	}
	before := namespace.DeepCopy()
	namespace.Labels[labelEnforce] = level
	return client.IgnoreNotFound(w.Patch(ctx, namespace, client.MergeFrom(before)))
}
