package cluster_test

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// proxy stands between a client and the API server, and can be cut.
type proxy struct {
	kubeconfig string
	target     string
	mu         sync.Mutex
	open       map[net.Conn]struct{}
	down       bool
	done       sync.WaitGroup
}

// newProxy serves a kubeconfig that leads through the proxy.
func newProxy(t *testing.T, w *world) *proxy {
	t.Helper()
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{kubeconfig: filepath.Join(t.TempDir(), "kubeconfig"), open: map[net.Conn]struct{}{}}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		must(t, err)
		p.target = server.Host
		server.Host = listener.Addr().String()
		cluster.Server = server.String()
	}
	must(t, clientcmd.WriteToFile(*config, p.kubeconfig))
	p.done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.set(true)
		p.done.Wait()
	})
	return p
}

// set cuts all connections; while down, new ones too.
func (p *proxy) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for conn := range p.open {
		_ = conn.Close()
	}
}

// hold notes a connection, or refuses it.
func (p *proxy) hold(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = conn.Close()
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *proxy) release(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = conn.Close()
	delete(p.open, conn)
}

func (p *proxy) carry(from net.Conn) {
	defer p.release(from)
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.release(to)
	if !p.hold(from) || !p.hold(to) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.Close()
	})
	_, _ = io.Copy(to, from)
	_ = to.Close()
	back.Wait()
}
