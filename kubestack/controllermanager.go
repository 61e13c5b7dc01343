package main

import (
	"strings"

	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
)

// controllers are those that pods, Jobs, namespaces and quotas need; the others (storage, certificates, autoscaling, cloud)
// would only cost memory and watches here.
func controllers() []string {
	return []string{
		names.NamespaceController,
		names.ServiceAccountController,
		names.ServiceAccountTokenController,
		names.RootCACertificatePublisherController,
		names.ClusterRoleAggregationController,
		names.GarbageCollectorController,
		names.PodGarbageCollectorController,
		names.TTLAfterFinishedController,
		names.ResourceQuotaController,
		names.NodeLifecycleController, // without it the node keeps its not-ready taint
		names.TaintEvictionController,
		names.JobController,
		names.CronJobController,
		names.ReplicaSetController,
		names.DeploymentController,
		names.EndpointSliceController,
		names.DisruptionController,
	}
}

func controllerManagerArgs(p *pki, kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(controllers(), ","),
		"--root-ca-file=" + p.CA.Cert,
		"--service-account-private-key-file=" + p.ServiceAccountKey,
		"--leader-elect=false", // there is only one
		"--secure-port=0",
		"--controller-start-interval=0s",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}
}
