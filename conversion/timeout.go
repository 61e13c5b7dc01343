package conversion

import (
	"fmt"
	"strings"
	"time"
)

// timeoutToBeta makes seconds a duration: the text that was kept, where it means the same.
func timeoutToBeta(spec map[string]any, kept *kept) error {
	text := kept.Timeout
	kept.Timeout = ""
	seconds, there, err := take[int64](spec, "timeoutSeconds")
	if err != nil || !there {
		return err
	}
	if d, err := time.ParseDuration(text); err != nil || d != time.Duration(seconds)*time.Second {
		text = durationText(seconds)
	}
	spec["timeout"] = text
	return nil
}

// timeoutToAlpha makes a duration seconds, and keeps its text where seconds would read as
// another one.
func timeoutToAlpha(spec map[string]any, kept *kept) error {
	kept.Timeout = ""
	text, there, err := take[string](spec, "timeout")
	if err != nil || !there {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d%time.Second != 0 {
		return fmt.Errorf("timeout %q is not a duration in whole seconds, such as 1h30m", text)
	}
	seconds := int64(d / time.Second)
	if durationText(seconds) != text {
		kept.Timeout = text
	}
	spec["timeoutSeconds"] = seconds
	return nil
}

// durationText is the shortest text of v1beta1.Duration: 1h30m.
func durationText(seconds int64) string {
	text := (time.Duration(seconds) * time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
