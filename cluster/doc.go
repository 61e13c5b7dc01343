// Package cluster keeps images, builds and their logs in Kubernetes: the gateway's
// one door to it.
//
// Reads are answered from memory. One watch for each kind, images and builds, feeds
// a store that holds them as the vocabulary of graph/model, sorted and grouped the
// way they are asked for; a read makes no request. Writes go to the API server, and
// what it answers is put into the store at once, so that the writer's replica reads
// its own write; other replicas see it as their watch brings it.
//
// A hub behind each store tells subscribers what changed. All of them share the one
// watch, and a slow one finds the newest state of each object, never a backlog.
//
// Logs are in no store: a running build's log is followed once for all its readers,
// an ended build's is read from the ConfigMaps that the controller left.
//
// Replicas tell each other what changed elsewhere by Notices: entries in one ConfigMap
// that all of them watch. How many there are WatchReplicas counts.
//
// Of registry credentials the namespaces' annotations tell which there are; their Secrets
// are written and never read.
//
// What the gateway may do in the cluster stands beside the requests, in markers
// +kubebuilder:rbac, of which deploy/rbac.yaml is made; drydock-replicas is the role of
// both programs in their own namespace.
package cluster
