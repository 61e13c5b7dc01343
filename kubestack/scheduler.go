package main

func schedulerArgs(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false", // there is only one
		"--secure-port=0",
	}
}
