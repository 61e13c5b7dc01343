package stack

import (
	"context"
	"fmt"
	"net/http"

	"drydock.dev/drydock/e2e/client"
)

// GatewayAgent begins the user agent of gateways' requests to Kubernetes.
const GatewayAgent = "drydock-gateway"

// Gateway is one replica.
type Gateway struct {
	*Process
	URL string
}

// Gateway starts a replica with these flags besides the usual ones, and returns when it is ready.
func (s *Stack) Gateway(ctx context.Context, flags ...string) (*Gateway, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	return s.GatewayAt(ctx, address, flags...)
}

// GatewayAt starts a replica in the place of one that ended, at its host and port.
func (s *Stack) GatewayAt(ctx context.Context, address string, flags ...string) (*Gateway, error) {
	s.count++
	flags = append([]string{"--listen", address, "--public-url", "http://" + address, "--dev"}, flags...)
	process, err := Run(fmt.Sprintf("gateway-%d", s.count), s.Binaries.Drydock, flags, s.GatewayEnvironment(), s.log)
	if err != nil {
		return nil, err
	}
	s.onClose(stopQuietly(process))
	return &Gateway{Process: process, URL: "http://" + address}, process.ready(ctx, address)
}

// ready waits until a process says at an address that it is ready.
func (p *Process) ready(ctx context.Context, address string) error {
	return Until(ctx, func() error {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %w:\n%s", p.Name, errGone, p.Output())
		default:
		}
		response, err := client.New("http://"+address).Send(ctx, http.MethodGet, "/readyz", "", nil)
		if err == nil && response.Status != http.StatusOK {
			err = fmt.Errorf("%s: /readyz says %d: %s", p.Name, response.Status, response.Body)
		}
		return err
	})
}

// GatewayEnvironment holds the settings of a gateway that are not its own address.
func (s *Stack) GatewayEnvironment() []string {
	return append(s.environment(s.gatewayKubeconfig),
		"GITHUB_URL="+s.GitHub, "GITHUB_CLIENT_ID="+clientID, "GITHUB_CLIENT_SECRET="+clientSecret, "DRYDOCK_SESSION_KEYS="+s.keys,
		"STRIPE_WEBHOOK_SECRETS="+webhookSecret)
}

// ControllerEnvironment holds the settings of a controller.
func (s *Stack) ControllerEnvironment() []string { return s.environment(s.controllerKubeconfig) }

// environment holds the settings that both have.
func (s *Stack) environment(kubeconfig string) []string {
	return []string{"KUBECONFIG=" + kubeconfig, "STRIPE_SECRET_KEY=" + s.Stripe.Key, "STRIPE_API_BASE=" + s.Stripe.URL, "DRYDOCK_SIGNING_KEYS=" + signingKey}
}

// Controller starts a controller with these flags besides the usual ones, and returns when it is ready to work or to
// stand by: one that follows a killed one works when the lease of that one has run out, after 15 s.
func (s *Stack) Controller(ctx context.Context, flags ...string) (*Process, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s.count++
	flags = append([]string{"--strategy", "buildah", "--metrics-listen", address}, flags...)
	process, err := Run(fmt.Sprintf("controller-%d", s.count), s.Binaries.Controller, flags, s.ControllerEnvironment(), s.log)
	if err != nil {
		return nil, err
	}
	s.onClose(stopQuietly(process))
	return process, process.ready(ctx, address)
}

// stopQuietly ends a process that a test may have ended already.
func stopQuietly(p *Process) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := p.Stop(ctx)
		return err
	}
}
