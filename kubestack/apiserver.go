package main

import "fmt"

// apiServerArgs are the flags of etcd and kube-apiserver, which share a process.
func apiServerArgs(o options, p *pki, ports *ports) []string {
	args := etcdSettings{
		Dir: o.path("etcd"), Port: ports.Etcd, Cert: p.Etcd.Cert, Key: p.Etcd.Key, TrustedCA: p.EtcdCA.Cert, SkipFsync: !o.Fsync,
	}.args()
	args = append(args,
		fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", ports.Etcd),
		"--etcd-cafile="+p.EtcdCA.Cert,
		"--etcd-certfile="+p.EtcdClient.Cert,
		"--etcd-keyfile="+p.EtcdClient.Key,

		"--bind-address="+o.Address,
		fmt.Sprintf("--secure-port=%d", ports.APIServer),
		"--permit-port-sharing=true", // the parent holds the port, see reservePorts
		"--advertise-address="+o.hostIP(),
		"--endpoint-reconciler-type=none", // loopback addresses are not legal in Endpoints
		"--service-cluster-ip-range="+serviceCIDR,
		"--tls-cert-file="+p.APIServer.Cert,
		"--tls-private-key-file="+p.APIServer.Key,
		"--client-ca-file="+p.CA.Cert,
		"--anonymous-auth=true", // health checks; RBAC gives anonymous nothing else
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",

		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.ServiceAccountKey,
		"--service-account-signing-key-file="+p.ServiceAccountKey,

		"--kubelet-client-certificate="+p.KubeletClient.Cert,
		"--kubelet-client-key="+p.KubeletClient.Key,
		"--kubelet-certificate-authority="+p.CA.Cert,
		"--kubelet-preferred-address-types=InternalIP",

		"--allow-privileged=true",
		"--enable-priority-and-fairness=false", // one user, one machine
		"--shutdown-delay-duration=0s",
	)
	if o.AuditLog != "" {
		args = append(args, "--audit-policy-file="+o.path("audit-policy.yaml"), "--audit-log-path="+o.AuditLog,
			"--audit-log-format=json", "--audit-log-mode=blocking")
	}
	return args
}

// auditPolicy asks for one event per request, when its response is complete (a watch: when it has begun and when it has ended),
// without bodies. https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`
