package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// setting is one setting: a flag, an environment variable, and for a secret another
// variable, with _FILE behind its name, that names a file with it.
type setting struct {
	flag   string
	env    string
	secret bool
	help   string
}

// settingError is what is wrong with a setting.
type settingError struct{ flag, words string }

func (e *settingError) Error() string { return "--" + e.flag + " " + e.words }

// wrong says what is wrong with a setting.
func wrong(flagName, format string, args ...any) error {
	return &settingError{flagName, fmt.Sprintf(format, args...)}
}

// readConfig reads the settings: flags before environment before files before defaults.
// The error is flag.ErrHelp after --help has been answered on stdout, else one line that
// names the setting.
func readConfig(args []string, getenv func(string) string, stdout io.Writer) (*config, error) {
	c := &config{inCluster: getenv("KUBERNETES_SERVICE_HOST") != ""}
	set := flag.NewFlagSet("drydock", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	settings := c.settings(set)
	set.Usage = func() {} // what is wrong is told in one line
	for _, s := range settings {
		value, source, err := s.fromEnvironment(getenv)
		if err != nil {
			return nil, err
		}
		if value != "" && set.Set(s.flag, value) != nil {
			return nil, fmt.Errorf("%s (--%s) is not legal: %q", source, s.flag, s.shown(value))
		}
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(stdout, set, settings)
		}
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("there is no setting %q; --help tells them all", set.Arg(0))
	}
	if err := c.validate(); err != nil {
		return nil, withEnvironment(err, settings)
	}
	return c, nil
}

// fromEnvironment is the setting's value in the environment, and the variable it is from.
func (s setting) fromEnvironment(getenv func(string) string) (value, source string, err error) {
	value = getenv(s.env)
	if !s.secret {
		return value, s.env, nil
	}
	path := getenv(s.env + "_FILE")
	switch {
	case path == "":
		return value, s.env, nil
	case value != "":
		return "", "", fmt.Errorf("%s and %s_FILE are both set: keep one of them", s.env, s.env)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("%s_FILE cannot be read: %w", s.env, err)
	}
	return strings.TrimSpace(string(content)), s.env + "_FILE", nil
}

// shown is a value as an error may show it.
func (s setting) shown(value string) string {
	if s.secret {
		return "..."
	}
	return value
}

// withEnvironment adds to a wrong setting the name of its environment variable.
func withEnvironment(err error, settings []setting) error {
	var bad *settingError
	if !errors.As(err, &bad) {
		return err
	}
	for _, s := range settings {
		if s.flag == bad.flag {
			return fmt.Errorf("--%s (%s) %s", s.flag, s.env, bad.words)
		}
	}
	return err
}

// usage tells all settings.
func usage(w io.Writer, set *flag.FlagSet, settings []setting) {
	_, _ = fmt.Fprint(w, "Drydock builds container images on Kubernetes and bills the build minutes with Stripe.\n\nUsage: drydock [settings]\n\n")
	for _, s := range settings {
		env := s.env
		if s.secret {
			env += ", or a file: " + s.env + "_FILE"
		}
		_, _ = fmt.Fprintf(w, "  --%s\n        %s\n        environment: %s\n", s.flag, s.help, env)
		if value := set.Lookup(s.flag).DefValue; value != "" {
			_, _ = fmt.Fprintf(w, "        default: %s\n", value)
		}
	}
}
