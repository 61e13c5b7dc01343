// Package stack runs the real binaries against real parts on loopback, for the end-to-end tests and the load driver:
// the Kubernetes control plane of kubestack, the stand-ins of Stripe and GitHub, an OCI registry, a git server,
// controllers, and any number of gateways. Whoever starts one may kill it.
package stack

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"drydock.dev/drydock/auth/authtest"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/cmd/devstack/git"
	"drydock.dev/drydock/deploy"
)

// The OAuth app's credentials at the stand-in GitHub.
const (
	clientID     = "drydock-e2e"
	clientSecret = "drydock-e2e-secret"
)

// signingKey is 32 bytes of no secret.
const signingKey = "ZTJlLXNpZ25pbmcta2V5LW9mLTMyLWJ5dGVzLXRoZXI="

// Options say what a stack runs and where.
type Options struct {
	Binaries Binaries
	// Dir takes everything that is written; the caller removes it.
	Dir string
	// Log takes what the processes print, each line under its process's name.
	Log io.Writer
	// Manifests are what is installed in the cluster, for upstreams that run already; nil: what deploy/ has for
	// gateways and controllers that run outside.
	Manifests func(*Stack) ([][]byte, error)
}

// Stack is everything that gateways and controllers stand on.
type Stack struct {
	// Kubeconfig is an administrator's.
	Kubeconfig string
	Stripe     *Stripe
	// GitHub is the stand-in's URL.
	GitHub string
	// Registry is host:port.
	Registry string
	// Git is the URL below which the repositories are.
	Git string
	// Dir is where everything is written.
	Dir string

	Binaries                                Binaries
	cluster                                 *clustertest.Cluster
	log                                     io.Writer
	keys                                    string
	gatewayKubeconfig, controllerKubeconfig string
	manifests                               func(*Stack) ([][]byte, error)
	count                                   int
	closers                                 []func(context.Context) error
}

// Start runs everything but gateways and controllers. Close ends it, also after an error.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{
		Binaries: o.Binaries, Dir: o.Dir, log: o.Log, manifests: o.Manifests,
		keys: "ZTJlLXNlc3Npb24ta2V5LW9mLTMyLWJ5dGVzLXRoZXI=", // 32 bytes of no secret
	}
	return s, errors.Join(s.startUpstreams(ctx), s.startKubernetes(ctx))
}

// startUpstreams runs what lives in this process.
func (s *Stack) startUpstreams(ctx context.Context) error {
	repositories, err := git.Handler(ctx, s.repositories())
	if err != nil {
		return err
	}
	address, err := s.serve(ctx, repositories)
	if err != nil {
		return err
	}
	s.Git = "http://" + address
	if s.Registry, err = s.serve(ctx, newRegistry()); err != nil {
		return err
	}
	address, err = s.serve(ctx, authtest.New(authtest.Options{ClientID: clientID, ClientSecret: clientSecret}))
	if err != nil {
		return err
	}
	s.GitHub = "http://" + address
	s.Stripe, err = s.newStripe(ctx)
	return err
}

// Secrets are the installation's: nobody is to find them in what it prints and keeps.
func (s *Stack) Secrets() []string {
	return []string{clientSecret, signingKey, s.keys, s.Stripe.Key, webhookSecret}
}

func (s *Stack) repositories() string { return filepath.Join(s.Dir, "git") }

// startKubernetes runs the control plane and installs what deploy/ has for it.
func (s *Stack) startKubernetes(ctx context.Context) (err error) {
	if s.cluster, err = clustertest.Open(filepath.Join(s.Dir, "kube")); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.cluster.Stop() })
	s.Kubeconfig = s.cluster.Kubeconfig
	return s.install(ctx)
}

// KubernetesRequests are those made so far by clients whose user agent starts so, in order.
func (s *Stack) KubernetesRequests(userAgent string) ([]clustertest.Event, error) {
	events, err := s.cluster.Audit()
	return slices.DeleteFunc(events, func(e clustertest.Event) bool { return !strings.HasPrefix(e.UserAgent, userAgent) }), err
}

// install applies what deploy/ has for a cluster, with the rights and the policies of an installation.
func (s *Stack) install(ctx context.Context) error {
	if s.manifests == nil {
		s.manifests = func(*Stack) ([][]byte, error) { return deploy.All() }
	}
	manifests, err := s.manifests(s)
	if err != nil {
		return err
	}
	if err := cluster.Apply(ctx, s.Kubeconfig, manifests...); err != nil {
		return err
	}
	return s.accounts(ctx)
}

func (s *Stack) onClose(end func(context.Context) error) { s.closers = append(s.closers, end) }

// Close ends everything, the last started first. What does not end before the context's deadline is killed.
func (s *Stack) Close(ctx context.Context) error {
	var problems []error
	for _, end := range slices.Backward(s.closers) {
		problems = append(problems, end(ctx))
	}
	s.closers = nil
	return errors.Join(problems...)
}
