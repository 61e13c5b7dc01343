package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// config is what flags and environment say.
type config struct {
	Kubeconfig    string        `env:"KUBECONFIG" placeholder:"FILE" help:"How to reach Kubernetes; the pod's own service account where absent."`
	StripeKey     string        `env:"STRIPE_SECRET_KEY" placeholder:"KEY" help:"Stripe's secret key."`
	StripeKeyFile string        `env:"STRIPE_SECRET_KEY_FILE" placeholder:"FILE" help:"A file that holds Stripe's secret key."`
	StripeAPIBase string        `name:"stripe-api-base" env:"STRIPE_API_BASE" default:"https://api.stripe.com" placeholder:"URL" help:"Where Stripe's API is."`
	Strategy      string        `env:"DRYDOCK_STRATEGY" default:"buildkit" help:"The build strategy: the PodTemplate with this value of the label drydock.dev/build-strategy."`
	Namespace     string        `env:"DRYDOCK_NAMESPACE" default:"drydock-system" help:"The namespace of strategies and of the leader's Lease."`
	MetricsListen string        `env:"DRYDOCK_METRICS_LISTEN" default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Where /livez, /readyz and /metrics are served."`
	LeaderElect   bool          `env:"DRYDOCK_LEADER_ELECT" default:"true" negatable:"" help:"Let several replicas run, of which one works."`
	LeaseDuration time.Duration `env:"DRYDOCK_LEASE_DURATION" default:"15s" help:"After this long a leader that fell silent is replaced."`
	Workers       int           `env:"DRYDOCK_WORKERS" default:"8" help:"How many objects of a kind are worked on at once."`
	LogFormat     string        `env:"DRYDOCK_LOG_FORMAT" default:"text" help:"text or json."`
	LogLevel      slog.Level    `env:"DRYDOCK_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`

	kube *rest.Config
}

// errHelp says that the help was printed, as asked.
var errHelp = errors.New("help")

// parse reads the settings; an error names the one that is wrong or missing.
func parse(args []string, stdout io.Writer) (*config, error) {
	var c config
	helped := false
	parser, err := kong.New(&c,
		kong.Name("drydock-controller"),
		kong.Description("Turns Drydock's Builds into pushed images and metered seconds."),
		kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return nil, err
	}
	_, err = parser.Parse(args)
	if helped {
		return nil, errHelp
	}
	if err != nil {
		return nil, err
	}
	return &c, c.validate()
}

func (c *config) validate() error {
	if c.StripeKeyFile != "" {
		if c.StripeKey != "" {
			return errors.New("--stripe-key and --stripe-key-file: give one of them")
		}
		text, err := os.ReadFile(c.StripeKeyFile)
		if err != nil {
			return fmt.Errorf("--stripe-key-file: %w", err)
		}
		c.StripeKey = strings.TrimSpace(string(text))
	}
	switch {
	case c.StripeKey == "":
		return errors.New("--stripe-key (STRIPE_SECRET_KEY, STRIPE_SECRET_KEY_FILE) is missing")
	case !strings.HasPrefix(c.StripeKey, "sk_") && !strings.HasPrefix(c.StripeKey, "rk_"):
		return errors.New("--stripe-key (STRIPE_SECRET_KEY) is not a secret or restricted key: those begin with sk_ or rk_")
	case !isURL(c.StripeAPIBase):
		return fmt.Errorf("--stripe-api-base (STRIPE_API_BASE) is %q: a URL such as https://api.stripe.com", c.StripeAPIBase)
	case !isAddress(c.MetricsListen):
		return fmt.Errorf("--metrics-listen (DRYDOCK_METRICS_LISTEN) is %q: host:port, such as :8081", c.MetricsListen)
	case c.Strategy == "":
		return errors.New("--strategy (DRYDOCK_STRATEGY) is empty")
	case c.LeaseDuration < time.Second:
		return fmt.Errorf("--lease-duration (DRYDOCK_LEASE_DURATION) is %s: at least 1s", c.LeaseDuration)
	case c.Workers < 1:
		return fmt.Errorf("--workers (DRYDOCK_WORKERS) is %d: at least 1", c.Workers)
	case c.LogFormat != "text" && c.LogFormat != "json":
		return fmt.Errorf("--log-format (DRYDOCK_LOG_FORMAT) is %q: text or json", c.LogFormat)
	}
	return nil
}

func isURL(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// kubernetes is the way to the API server.
func (c *config) kubernetes() (*rest.Config, error) {
	if c.Kubeconfig == "" {
		found, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("--kubeconfig (KUBECONFIG) is missing: %w", err)
		}
		return found, nil
	}
	found, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig (KUBECONFIG): %w", err)
	}
	return found, nil
}

func (c *config) logger(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
