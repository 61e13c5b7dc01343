package node

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	criLogs "k8s.io/cri-client/pkg/logs"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // decodes the options of kubectl logs
)

// serve starts the node's API, the part of the kubelet's that the API server calls: logs, health, pods. Only the API server's
// certificate is let in.
func (n *Node) serve(listener net.Listener) (*http.Server, error) {
	certificate, err := tls.LoadX509KeyPair(n.options.Cert, n.options.Key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(n.options.ClientCA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	mux.HandleFunc("GET /pods", n.servePods)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.serveLog)
	server := &http.Server{
		Handler:           n.onlyAPIServer(mux),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		},
	}
	go func() {
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("the node's API ended", "error", err)
		}
	}()
	return server, nil
}

func (n *Node) onlyAPIServer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName != n.options.ClientName {
			http.Error(w, "only the API server may call the node", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (n *Node) servePods(w http.ResponseWriter, _ *http.Request) {
	list := corev1.PodList{}
	n.mu.Lock()
	for _, p := range n.pods {
		list.Items = append(list.Items, *p.current())
	}
	n.mu.Unlock()
	_ = json.NewEncoder(w).Encode(list)
}

// serveLog answers kubectl logs. Errors are for the user's eyes.
func (n *Node) serveLog(w http.ResponseWriter, r *http.Request) {
	var options corev1.PodLogOptions
	if err := legacyscheme.ParameterCodec.DecodeParameters(r.URL.Query(), corev1.SchemeGroupVersion, &options); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	path, running, err := n.findLog(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"), options.Previous)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, fs.ErrNotExist) {
			status = http.StatusNotFound
		}
		http.Error(w, err.Error(), status)
		return
	}
	flusher := flushing{w, http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/plain")
	flusher.flush() // a follower knows at once that it follows
	err = readLog(r.Context(), path, logOptions(&options), running, flusher, flusher)
	if err != nil && r.Context().Err() == nil {
		n.log.Warn("read log", "path", path, "error", err)
	}
}

func logOptions(o *corev1.PodLogOptions) *criLogs.LogOptions {
	options := &criLogs.LogOptions{TailLines: o.TailLines, LimitBytes: o.LimitBytes, Follow: o.Follow, Timestamp: o.Timestamps}
	if o.SinceSeconds != nil {
		options.Since = time.Now().Add(-time.Duration(*o.SinceSeconds) * time.Second)
	}
	if o.SinceTime != nil {
		options.Since = o.SinceTime.Time
	}
	return options
}

// findLog returns the log file of a container's last run, or the one before, and whether it may still grow.
func (n *Node) findLog(namespace, name, container string, previous bool) (path string, running func() bool, err error) {
	object, err := n.lister.Pods(namespace).Get(name)
	if err != nil {
		return "", nil, fmt.Errorf("pod %q: %w", name, fs.ErrNotExist)
	}
	specs := slices.Concat(object.Spec.InitContainers, object.Spec.Containers)
	if !slices.ContainsFunc(specs, func(c corev1.Container) bool { return c.Name == container }) {
		return "", nil, fmt.Errorf("container %q in pod %q: %w", container, name, fs.ErrNotExist)
	}
	dir := filepath.Join(n.options.podDir(object.UID), "containers", container)
	last := 0
	for logged(dir, last+1) {
		last++
	}
	if previous {
		if last == 0 {
			return "", nil, fmt.Errorf("previous terminated container %q in pod %q not found", container, name)
		}
		return filepath.Join(dir, logName(last-1)), func() bool { return false }, nil
	}
	if !logged(dir, last) {
		return "", nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", container, name, waitingReason(object, container))
	}
	return filepath.Join(dir, logName(last)), func() bool { return n.containerRuns(object.UID, container) }, nil
}

func logged(dir string, restart int) bool {
	_, err := os.Stat(filepath.Join(dir, logName(restart)))
	return err == nil
}

func waitingReason(object *corev1.Pod, container string) string {
	for _, status := range slices.Concat(object.Status.InitContainerStatuses, object.Status.ContainerStatuses) {
		if status.Name == container && status.State.Waiting != nil {
			return status.State.Waiting.Reason
		}
	}
	return "ContainerCreating"
}

func (n *Node) containerRuns(uid types.UID, name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.pods[uid]
	return ok && slices.ContainsFunc(p.containers, func(c *container) bool { return c.spec.Name == name && c.running.Load() })
}

// flushing sends every write to the client at once.
type flushing struct {
	http.ResponseWriter
	controller *http.ResponseController
}

func (f flushing) flush() { _ = f.controller.Flush() }

func (f flushing) Write(data []byte) (int, error) {
	count, err := f.ResponseWriter.Write(data)
	if err == nil {
		err = f.controller.Flush()
	}
	return count, err
}
