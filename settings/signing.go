package settings

import (
	"flag"
	"log/slog"

	"drydock.dev/drydock/signing"
)

// Signing is what the secrets are derived from that Drydock shares with others: the same
// settings in each program.
type Signing struct {
	// Keys are there after Validate; nil where none are set.
	Keys *signing.Keys

	text string
}

// Bind binds the settings to flags.
func (s *Signing) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&s.text, "signing-keys", "", "")
	return []Setting{
		{Flag: "signing-keys", Env: "DRYDOCK_SIGNING_KEYS", Secret: true, Help: "keys that webhooks' secrets are derived from, 32 bytes in base64 each, separated by commas, the same for the gateways and the controller; the first one makes secrets, those of all of them hold; default: no such webhooks"},
	}
}

// Validate reads the settings.
func (s *Signing) Validate() (err error) {
	if s.text == "" {
		s.Keys = nil
		return nil
	}
	if s.Keys, err = signing.Parse(s.text); err != nil {
		return Wrong("signing-keys", "holds no keys: %v", err)
	}
	return nil
}

// LogValue shows the settings without the keys.
func (s *Signing) LogValue() slog.Value { return slog.BoolValue(s.Keys.Known()) }
