package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes a kubeconfig that stands on its own (certificates inside), mode 0600, whole or not at all.
func writeKubeconfig(path, server string, ca *authority, user string, credentials keyPair) error {
	config := clientcmdapi.NewConfig()
	cluster := clientcmdapi.NewCluster()
	cluster.Server = server
	info := clientcmdapi.NewAuthInfo()
	var err error
	for file, data := range map[string]*[]byte{
		ca.Cert:          &cluster.CertificateAuthorityData,
		credentials.Cert: &info.ClientCertificateData,
		credentials.Key:  &info.ClientKeyData,
	} {
		if *data, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("write kubeconfig: %w", err)
		}
	}
	context := clientcmdapi.NewContext()
	context.Cluster, context.AuthInfo = "kubestack", user
	config.Clusters["kubestack"], config.AuthInfos[user], config.Contexts["kubestack"] = cluster, info, context
	config.CurrentContext = "kubestack"
	data, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := writeFile(path, data); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
