package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/settings"
	"drydock.dev/drydock/signing"
	"drydock.dev/drydock/webhook"
)

// config is what the gateway is told by flags and environment.
type config struct {
	listen        string
	metricsListen string
	publicURL     string
	kubeconfig    string
	stripe        settings.Stripe
	webhooks      webhookConfig
	replicas      settings.Replicas
	github        struct{ url, clientID, clientSecret string }
	sessionKeys   string
	sessionTTL    time.Duration
	proxy         proxyConfig
	tls           tlsConfig
	registries    settings.Registries
	signing       settings.Signing
	outgoing      settings.Webhooks
	triggers      settings.Triggers
	dev           bool
	introspection bool
	maxDepth      int
	maxComplexity int
	queryTimeout  time.Duration
	drainTimeout  time.Duration
	logFormat     string
	logLevel      string

	// keys are what sessionKeys holds; generated tells that dev made them up.
	keys      *auth.Keys
	generated bool
	level     slog.Level
	// inCluster tells that a pod's service account is there.
	inCluster bool
}

// readConfig reads the settings; see settings.Read.
func readConfig(args []string, getenv func(string) string, stdout io.Writer) (*config, error) {
	c := &config{inCluster: getenv("KUBERNETES_SERVICE_HOST") != ""}
	return c, settings.Read(settings.Program{
		Name:  "drydock",
		About: "Drydock builds container images on Kubernetes and bills the build minutes with Stripe.",
		Bind:  c.settings, Validate: c.validate,
	}, args, getenv, stdout)
}

// settings binds every setting to its flag, its environment variable and its help.
func (c *config) settings(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&c.listen, "listen", "127.0.0.1:8080", "")
	set.StringVar(&c.metricsListen, "metrics-listen", "", "")
	set.StringVar(&c.publicURL, "public-url", "", "")
	set.StringVar(&c.kubeconfig, "kubeconfig", "", "")
	set.StringVar(&c.github.url, "github-url", "https://github.com", "")
	set.StringVar(&c.github.clientID, "github-client-id", "", "")
	set.StringVar(&c.github.clientSecret, "github-client-secret", "", "")
	set.StringVar(&c.sessionKeys, "session-keys", "", "")
	set.DurationVar(&c.sessionTTL, "session-ttl", 7*24*time.Hour, "")
	set.BoolVar(&c.dev, "dev", false, "")
	set.BoolVar(&c.introspection, "introspection", true, "")
	set.IntVar(&c.maxDepth, "max-depth", 15, "")
	set.IntVar(&c.maxComplexity, "max-complexity", 20_000, "")
	set.DurationVar(&c.queryTimeout, "query-timeout", 30*time.Second, "")
	set.DurationVar(&c.drainTimeout, "drain-timeout", 30*time.Second, "")
	set.StringVar(&c.logFormat, "log-format", "json", "")
	set.StringVar(&c.logLevel, "log-level", "info", "")
	c.replicas.Namespace = v1alpha1.SystemNamespace
	return slices.Concat([]settings.Setting{
		{Flag: "listen", Env: "DRYDOCK_LISTEN", Help: "address to serve HTTP on; port 0 takes a free one"},
		{Flag: "metrics-listen", Env: "DRYDOCK_METRICS_LISTEN", Help: "address to serve /metrics on, plain HTTP and apart from all else; default: where all else is"},
		{Flag: "public-url", Env: "DRYDOCK_PUBLIC_URL", Help: "where browsers find this; default http://, or https:// with tls-cert, and the listen address"},
		{Flag: "kubeconfig", Env: "KUBECONFIG", Help: "kubeconfig file; default: the pod's service account"},
		{Flag: "github-url", Env: "GITHUB_URL", Help: "GitHub, or a GitHub Enterprise server"},
		{Flag: "github-client-id", Env: "GITHUB_CLIENT_ID", Help: "the GitHub OAuth app's client id"},
		{Flag: "github-client-secret", Env: "GITHUB_CLIENT_SECRET", Secret: true, Help: "the GitHub OAuth app's client secret"},
		{Flag: "session-keys", Env: "DRYDOCK_SESSION_KEYS", Secret: true, Help: "keys that seal sessions, 32 bytes in base64 each, separated by commas; the first one seals, all of them open"},
		{Flag: "session-ttl", Env: "DRYDOCK_SESSION_TTL", Help: "how long a session lasts after its last use"},
		{Flag: "dev", Env: "DRYDOCK_DEV", Help: "development: anybody may sign in as anybody, by POST /auth/dev, and log in to registries on this very host"},
		{Flag: "introspection", Env: "DRYDOCK_INTROSPECTION", Help: "whether the GraphQL schema may be asked for"},
		{Flag: "max-depth", Env: "DRYDOCK_MAX_DEPTH", Help: "how many fields deep an operation may be"},
		{Flag: "max-complexity", Env: "DRYDOCK_MAX_COMPLEXITY", Help: "about how many fields an operation may give"},
		{Flag: "query-timeout", Env: "DRYDOCK_QUERY_TIMEOUT", Help: "how long a query or mutation may take"},
		{Flag: "drain-timeout", Env: "DRYDOCK_DRAIN_TIMEOUT", Help: "how long requests may take to finish on SIGTERM"},
		{Flag: "log-format", Env: "DRYDOCK_LOG_FORMAT", Help: "json or text"},
		{Flag: "log-level", Env: "DRYDOCK_LOG_LEVEL", Help: "debug, info, warn or error"},
	}, c.stripe.Bind(set), c.webhooks.bind(set), c.replicas.Bind(set), c.registries.Bind(set), c.signing.Bind(set), c.outgoing.Bind(set), c.triggers.Bind(set), c.authSettings(set))
}

// validate checks the settings against each other and reads the session keys. Its error
// is one line that names the setting.
func (c *config) validate() error {
	for _, check := range []func() error{c.validateAddresses, c.stripe.Validate, c.webhooks.validate, c.replicas.Validate, c.validateClients, c.validateSessions, c.validateTLS, c.validateProxy, c.validateLimits, c.registries.Validate, c.signing.Validate, c.outgoing.Validate, c.triggers.Validate} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *config) validateAddresses() error {
	for _, one := range []struct{ flag, address string }{{"listen", c.listen}, {"metrics-listen", c.metricsListen}} {
		if _, _, err := net.SplitHostPort(one.address); err != nil && (one.address != "" || one.flag == "listen") {
			return settings.Wrong(one.flag, "is not an address such as 127.0.0.1:8080: %q", one.address)
		}
	}
	for _, one := range []struct{ flag, address string }{{"public-url", c.publicURL}, {"github-url", c.github.url}} {
		if one.address == "" && one.flag == "public-url" {
			continue
		}
		parsed, err := url.Parse(one.address)
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" {
			return settings.Wrong(one.flag, "is not a URL such as https://drydock.example.com: %q", one.address)
		}
		if one.flag == "public-url" && strings.Trim(parsed.Path, "/") != "" {
			return settings.Wrong(one.flag, "has a path, and must be the root of its host: %q", one.address)
		}
	}
	return nil
}

func (c *config) validateClients() error {
	switch {
	case c.kubeconfig == "" && !c.inCluster:
		return settings.Wrong("kubeconfig", "is missing, and this is not a pod")
	case c.github.clientID == "" && c.github.clientSecret != "":
		return settings.Wrong("github-client-id", "is missing, and the client secret is there")
	case c.github.clientID != "" && c.github.clientSecret == "":
		return settings.Wrong("github-client-secret", "is missing, and the client id is there")
	case c.github.clientID == "" && c.proxy.header == "" && !c.dev:
		return settings.Wrong("github-client-id", "is missing: nobody could sign in")
	}
	if c.kubeconfig != "" {
		if _, err := os.ReadFile(c.kubeconfig); err != nil {
			return settings.Wrong("kubeconfig", "cannot be read: %v", err)
		}
	}
	return nil
}

func (c *config) validateSessions() error {
	if c.sessionKeys == "" {
		if !c.dev {
			return settings.Wrong("session-keys", "is missing; make a key with: openssl rand -base64 32")
		}
		c.sessionKeys, c.generated = signing.Generate(), true
	}
	keys, err := auth.ParseKeys(c.sessionKeys)
	if err != nil {
		return settings.Wrong("session-keys", "holds no keys: %v", err)
	}
	c.keys = keys
	if c.sessionTTL < time.Minute || c.sessionTTL > auth.MaxSession {
		return settings.Wrong("session-ttl", "is not between 1m and %s: %s", auth.MaxSession, c.sessionTTL)
	}
	return nil
}

func (c *config) validateLimits() error {
	switch {
	case c.maxDepth < 1:
		return settings.Wrong("max-depth", "is less than 1: %d", c.maxDepth)
	case c.maxComplexity < 1:
		return settings.Wrong("max-complexity", "is less than 1: %d", c.maxComplexity)
	case c.queryTimeout <= 0:
		return settings.Wrong("query-timeout", "is not more than 0: %s", c.queryTimeout)
	case c.drainTimeout <= 0:
		return settings.Wrong("drain-timeout", "is not more than 0: %s", c.drainTimeout)
	case c.logFormat != "json" && c.logFormat != "text":
		return settings.Wrong("log-format", "is neither json nor text: %q", c.logFormat)
	case c.level.UnmarshalText([]byte(c.logLevel)) != nil:
		return settings.Wrong("log-level", "is not debug, info, warn or error: %q", c.logLevel)
	}
	return nil
}

// registryRules say at which registries logins are tried. Whoever signs in may name one:
// this very host's are for development, unless the operator lists them.
func (c *config) registryRules() registry.Rules {
	return registry.Rules{Insecure: c.registries.Insecure, Private: c.registries.Private, Loopback: c.dev}
}

// webhookRules say where images' webhooks may lead; see registryRules.
func (c *config) webhookRules() webhook.Rules {
	return webhook.Rules{Private: c.outgoing.Private, Hosts: c.outgoing.Hosts, Loopback: c.dev}
}

// public is where browsers find a gateway that listens on an address.
func (c *config) public(listening net.Addr) (*url.URL, error) {
	if c.publicURL != "" {
		return url.Parse(strings.TrimRight(c.publicURL, "/"))
	}
	address, err := netip.ParseAddrPort(listening.String())
	if err != nil {
		return nil, settings.Wrong("public-url", "cannot be made of %s: %v", listening, err)
	}
	host := address.Addr().String()
	if address.Addr().IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if c.tls.files != nil {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, fmt.Sprint(address.Port()))}, nil
}

// LogValue shows the settings without the secrets.
func (c *config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("listen", c.listen), slog.String("publicURL", c.publicURL),
		slog.String("kubeconfig", c.kubeconfig), slog.Bool("inCluster", c.inCluster),
		slog.Any("stripe", &c.stripe), slog.Int("webhookSecrets", len(c.webhooks.secrets)), slog.Any("replicas", c.replicas),
		slog.String("githubURL", c.github.url), slog.String("githubClientID", c.github.clientID),
		slog.Bool("sessionKeysGenerated", c.generated), slog.Duration("sessionTTL", c.sessionTTL),
		slog.String("trustHeader", c.proxy.header), slog.Bool("trustSecret", c.proxy.secret != ""),
		slog.String("trustClientCA", c.proxy.clientCA), slog.String("tlsCert", c.tls.cert),
		slog.Any("insecureRegistries", c.registries.Insecure), slog.Bool("privateRegistries", c.registries.Private), slog.Any("signingKeys", &c.signing),
		slog.Bool("privateWebhooks", c.outgoing.Private), slog.Any("webhookHosts", c.outgoing.Hosts),
		slog.Bool("dev", c.dev), slog.Bool("introspection", c.introspection),
		slog.Int("maxDepth", c.maxDepth), slog.Int("maxComplexity", c.maxComplexity),
		slog.Duration("queryTimeout", c.queryTimeout), slog.Duration("drainTimeout", c.drainTimeout),
	)
}
