package main

import (
	"flag"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/settings"
)

// config is what flags and environment say.
type config struct {
	kubeconfig              string
	stripe                  settings.Stripe
	replicas                settings.Replicas
	registries              settings.Registries
	network                 settings.Network
	signing                 settings.Signing
	triggers                settings.Triggers
	strategy, metricsListen string
	conversionListen        string
	leaderElect             bool
	leaseDuration           time.Duration
	baseImageInterval       time.Duration
	workers, maxBuilds      int
	retention               settings.Retention
	webhooks                settings.Webhooks
	publicURL               string
	github                  gitHubConfig
	logFormat               string
	logLevel                slog.Level

	kube *rest.Config
}

// readConfig reads the settings; see settings.Read.
func readConfig(args []string, getenv func(string) string, stdout io.Writer) (*config, error) {
	c := &config{}
	return c, settings.Read(settings.Program{
		Name:  "drydock-controller",
		About: "Turns Drydock's Builds into pushed images and metered seconds.",
		Bind:  c.settings, Validate: c.validate,
	}, args, getenv, stdout)
}

// settings binds every setting to its flag, its environment variable and its help.
func (c *config) settings(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&c.kubeconfig, "kubeconfig", "", "")
	set.StringVar(&c.strategy, "strategy", "buildkit", "")
	set.StringVar(&c.metricsListen, "metrics-listen", "127.0.0.1:8081", "")
	set.StringVar(&c.conversionListen, "conversion-listen", "", "")
	set.BoolVar(&c.leaderElect, "leader-elect", true, "")
	set.DurationVar(&c.leaseDuration, "lease-duration", 15*time.Second, "")
	set.DurationVar(&c.baseImageInterval, "base-image-interval", 15*time.Minute, "")
	set.IntVar(&c.workers, "workers", 8, "")
	set.IntVar(&c.maxBuilds, "max-builds", 0, "")
	set.StringVar(&c.publicURL, "public-url", "", "")
	set.StringVar(&c.logFormat, "log-format", "text", "")
	set.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "")
	c.replicas.Namespace = v1alpha1.SystemNamespace
	return slices.Concat([]settings.Setting{
		{Flag: "kubeconfig", Env: "KUBECONFIG", Help: "kubeconfig file; default: the pod's service account"},
		{Flag: "strategy", Env: "DRYDOCK_STRATEGY", Help: "the build strategy: the PodTemplate with this value of the label drydock.dev/build-strategy"},
		{Flag: "metrics-listen", Env: "DRYDOCK_METRICS_LISTEN", Help: "address to serve /livez, /readyz and /metrics on"},
		{Flag: "conversion-listen", Env: "DRYDOCK_CONVERSION_LISTEN", Help: "address to convert custom resources for the API server on, by HTTPS, such as :9443; none where empty"},
		{Flag: "leader-elect", Env: "DRYDOCK_LEADER_ELECT", Help: "let several replicas run, of which one works"},
		{Flag: "lease-duration", Env: "DRYDOCK_LEASE_DURATION", Help: "after this long a leader that fell silent is replaced"},
		{Flag: "base-image-interval", Env: "DRYDOCK_BASE_IMAGE_INTERVAL", Help: "how often a registry is asked whether a base image moved; once for all images that are made from it"},
		{Flag: "workers", Env: "DRYDOCK_WORKERS", Help: "how many objects of a kind are worked on at once"},
		{Flag: "max-builds", Env: "DRYDOCK_MAX_BUILDS", Help: "how many builds run at once in the whole cluster, shared fairly among the accounts; 0: as many as plans allow and nodes have room for"},
		{Flag: "public-url", Env: "DRYDOCK_PUBLIC_URL", Help: "where browsers find the gateways: what others are told of a build leads to its page there"},
		{Flag: "log-format", Env: "DRYDOCK_LOG_FORMAT", Help: "json or text"},
		{Flag: "log-level", Env: "DRYDOCK_LOG_LEVEL", Help: "debug, info, warn or error"},
	}, c.stripe.Bind(set), c.replicas.Bind(set), c.registries.Bind(set), c.network.Bind(set), c.signing.Bind(set), c.triggers.Bind(set), c.retention.Bind(set), c.webhooks.Bind(set), c.github.bind(set))
}

// validate checks the settings and finds the way to the API server. Its error is one
// line that names the setting.
func (c *config) validate() error {
	for _, check := range []func() error{c.stripe.Validate, c.replicas.Validate, c.registries.Validate, c.network.Validate, c.signing.Validate, c.triggers.Validate, c.retention.Validate, c.webhooks.Validate, c.github.validate} {
		if err := check(); err != nil {
			return err
		}
	}
	switch {
	case !isAddress(c.metricsListen):
		return settings.Wrong("metrics-listen", "is not host:port, such as :8081: %q", c.metricsListen)
	case c.conversionListen != "" && !isAddress(c.conversionListen):
		return settings.Wrong("conversion-listen", "is not host:port, such as :9443: %q", c.conversionListen)
	case c.publicURL != "" && !isURL(c.publicURL):
		return settings.Wrong("public-url", "is not a URL such as https://drydock.example.com: %q", c.publicURL)
	case c.strategy == "":
		return settings.Wrong("strategy", "is empty")
	case c.leaseDuration < time.Second:
		return settings.Wrong("lease-duration", "is less than 1s: %s", c.leaseDuration)
	case c.baseImageInterval < time.Second:
		return settings.Wrong("base-image-interval", "is less than 1s: %s", c.baseImageInterval)
	case c.workers < 1:
		return settings.Wrong("workers", "is less than 1: %d", c.workers)
	case c.maxBuilds < 0:
		return settings.Wrong("max-builds", "is less than 0: %d", c.maxBuilds)
	case c.logFormat != "text" && c.logFormat != "json":
		return settings.Wrong("log-format", "is neither json nor text: %q", c.logFormat)
	}
	return c.findKubernetes()
}

func isURL(text string) bool {
	at, err := url.Parse(text)
	return err == nil && (at.Scheme == "https" || at.Scheme == "http") && at.Host != "" && at.User == nil && at.RawQuery == ""
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// findKubernetes finds the way to the API server.
func (c *config) findKubernetes() (err error) {
	if c.kubeconfig == "" {
		if c.kube, err = rest.InClusterConfig(); err != nil {
			return settings.Wrong("kubeconfig", "is missing, and this is not a pod: %v", err)
		}
		return nil
	}
	if c.kube, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return settings.Wrong("kubeconfig", "cannot be read: %v", err)
	}
	return nil
}

func (c *config) logger(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
