package main

import (
	"os"
	"path/filepath"
)

// pki holds the files by which the parts of one control plane know each other.
type pki struct {
	CA                *authority
	EtcdCA            *authority
	ServiceAccountKey string
	APIServer         keyPair // serves the Kubernetes API
	KubeletClient     keyPair // the API server towards the node
	Etcd              keyPair // serves etcd
	EtcdClient        keyPair // the API server towards etcd
	Node              keyPair // the node as client of the API server
	Kubelet           keyPair // serves the node's API
	Admin             keyPair
	ControllerManager keyPair
	Scheduler         keyPair
}

// serviceCIDR is where cluster IPs of Services come from; its first address is the API server's own Service.
const (
	serviceCIDR          = "10.96.0.0/16"
	apiServerServiceIP   = "10.96.0.1"
	kubeletClientSubject = "kube-apiserver-kubelet-client"
)

// loadPKI reads authorities and keys from dir, makes what is missing, and issues this run's certificates.
// Users and groups are Kubernetes' own: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles
func loadPKI(dir, address, nodeName string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	p := &pki{ServiceAccountKey: filepath.Join(dir, "service-account.key")}
	var err error
	if p.CA, err = loadAuthority(dir, "ca"); err != nil {
		return nil, err
	}
	// etcd has an authority of its own: any client certificate it trusts reads and writes everything.
	if p.EtcdCA, err = loadAuthority(dir, "etcd-ca"); err != nil {
		return nil, err
	}
	if _, err := loadKey(p.ServiceAccountKey); err != nil {
		return nil, err
	}
	loopback := []string{"127.0.0.1", "::1", "localhost"}
	hosts := append([]string{apiServerServiceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local"}, loopback...)
	hosts = append(hosts, address)
	if hostname, err := os.Hostname(); err == nil {
		hosts = append(hosts, hostname)
	}
	masters := []string{"system:masters"}
	for _, issue := range []struct {
		pair *keyPair
		ca   *authority
		file string
		who  identity
	}{
		{&p.APIServer, p.CA, "apiserver", identity{CommonName: "kube-apiserver", Hosts: hosts}},
		{&p.KubeletClient, p.CA, "apiserver-kubelet-client", identity{CommonName: kubeletClientSubject}},
		{&p.Etcd, p.EtcdCA, "etcd", identity{CommonName: "etcd", Hosts: loopback}},
		{&p.EtcdClient, p.EtcdCA, "etcd-client", identity{CommonName: "kube-apiserver"}},
		{&p.Node, p.CA, "node", identity{CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}}},
		{&p.Kubelet, p.CA, "kubelet", identity{CommonName: "system:node:" + nodeName, Hosts: append(loopback, address, nodeName)}},
		{&p.Admin, p.CA, "admin", identity{CommonName: "kubernetes-admin", Organization: masters}},
		// Its controllers would need a service account and a role each; as masters they start seconds sooner.
		{&p.ControllerManager, p.CA, "controller-manager", identity{CommonName: "system:kube-controller-manager", Organization: masters}},
		{&p.Scheduler, p.CA, "scheduler", identity{CommonName: "system:kube-scheduler"}},
	} {
		if *issue.pair, err = issue.ca.issue(issue.file, issue.who); err != nil {
			return nil, err
		}
	}
	return p, nil
}
