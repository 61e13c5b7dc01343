package cluster

import "sync"

type follow struct{}

type follows struct {
	mu      sync.Mutex
	running map[string]*follow
}
