// Package settings reads a program's settings from flags, environment and files of
// secrets, and says in one line what is wrong with one.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Setting is one setting: a flag, an environment variable, and for a secret another
// variable, with _FILE behind its name, that names a file with it.
type Setting struct {
	Flag   string
	Env    string
	Secret bool
	Help   string
}

// Program is what is set.
type Program struct {
	Name string
	// About is its help's first line.
	About string
	// Bind binds every setting to a variable by its flag; the variables' values are
	// the defaults.
	Bind func(*flag.FlagSet) []Setting
	// Validate checks the settings; its errors are made by Wrong.
	Validate func() error
}

// settingError is what is wrong with a setting.
type settingError struct{ flag, words string }

func (e *settingError) Error() string { return "--" + e.flag + " " + e.words }

// Wrong says what is wrong with a setting, by its flag.
func Wrong(flagName, format string, args ...any) error {
	return &settingError{flagName, fmt.Sprintf(format, args...)}
}

// Read reads the settings: flags before environment before files before defaults.
// The error is flag.ErrHelp after --help has been answered on stdout, else one line that
// names the setting.
func Read(p Program, args []string, getenv func(string) string, stdout io.Writer) error {
	set := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {} // what is wrong is told in one line
	settings := p.Bind(set)
	for _, s := range settings {
		value, source, err := s.fromEnvironment(getenv)
		if err != nil {
			return err
		}
		if value != "" && set.Set(s.Flag, value) != nil {
			return fmt.Errorf("%s (--%s) is not legal: %q", source, s.Flag, s.shown(value))
		}
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			p.help(stdout, set, settings)
		}
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("there is no setting %q; --help tells them all", set.Arg(0))
	}
	return withEnvironment(p.Validate(), settings)
}

// fromEnvironment is the setting's value in the environment, and the variable it is from.
func (s Setting) fromEnvironment(getenv func(string) string) (value, source string, err error) {
	value = getenv(s.Env)
	if !s.Secret {
		return value, s.Env, nil
	}
	path := getenv(s.Env + "_FILE")
	switch {
	case path == "":
		return value, s.Env, nil
	case value != "":
		return "", "", fmt.Errorf("%s and %s_FILE are both set: keep one of them", s.Env, s.Env)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("%s_FILE cannot be read: %w", s.Env, err)
	}
	return strings.TrimSpace(string(content)), s.Env + "_FILE", nil
}

// shown is a value as an error may show it.
func (s Setting) shown(value string) string {
	if s.Secret {
		return "..."
	}
	return value
}

// withEnvironment adds to a wrong setting the name of its environment variable.
func withEnvironment(err error, settings []Setting) error {
	var bad *settingError
	if !errors.As(err, &bad) {
		return err
	}
	for _, s := range settings {
		if s.Flag == bad.flag {
			return fmt.Errorf("--%s (%s) %s", s.Flag, s.Env, bad.words)
		}
	}
	return err
}

// help tells all settings.
func (p Program) help(w io.Writer, set *flag.FlagSet, settings []Setting) {
	_, _ = fmt.Fprintf(w, "%s\n\nUsage: %s [settings]\n\n", p.About, p.Name)
	for _, s := range settings {
		env := s.Env
		if s.Secret {
			env += ", or a file: " + s.Env + "_FILE"
		}
		_, _ = fmt.Fprintf(w, "  --%s\n        %s\n        environment: %s\n", s.Flag, s.Help, env)
		if value := set.Lookup(s.Flag).DefValue; value != "" {
			_, _ = fmt.Fprintf(w, "        default: %s\n", value)
		}
	}
}
