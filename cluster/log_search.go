package cluster

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// What one search may ask for and look at. The next one goes on behind it.
const (
	maxMatches    = 1000
	maxSearchText = 200
	searchedLines = 2 * v1alpha1.MaxLogLines
	matchedBytes  = 1 << 20
)

// escapes are ANSI's: CSI and OSC sequences, and two-character ones (ECMA-48, 5.3 to 5.6).
var escapes = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])`)

// SearchBuildLog finds up to first lines of a build's log after the line of a number that
// hold a text, upper and lower case alike, ANSI escapes left out. It looks at 200,000
// lines, and gives 1 MiB of them, at most; EndCursor tells how far it came. An empty or too
// long text, and a number beyond its bounds, are fault.BadUserInput.
// Kubernetes: as BuildLog, for all that is looked at.
func (c *Client) SearchBuildLog(ctx context.Context, key model.Key, text string, after, first int) (*model.BuildLogMatches, error) {
	if length := utf8.RuneCountInString(text); length < 1 || length > maxSearchText {
		return nil, fault.New(fault.BadUserInput, "text must have 1 to %d characters.", maxSearchText)
	}
	if first < 1 || first > maxMatches {
		return nil, fault.New(fault.BadUserInput, "first must be 1 to %d.", maxMatches)
	}
	if err := legalAfter(after); err != nil {
		return nil, err
	}
	b, err := c.build(key)
	if err != nil {
		return nil, err
	}
	found := &model.BuildLogMatches{Lines: []*model.LogLine{}, EndCursor: after}
	text = strings.ToLower(text)
	looked, bytes := 0, 0
	err = c.presentLog(ctx, b, int64(after)+1, func(line v1alpha1.LogLine) bool {
		looked++
		found.EndCursor = int(line.Number)
		if holds(line.Text, text) {
			found.Lines = append(found.Lines, logLine(line))
			bytes += len(line.Text)
		}
		return len(found.Lines) < first && looked < searchedLines && bytes < matchedBytes && ctx.Err() == nil
	})
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, translate(err)
	}
	found.Complete = b.Phase.Done() && (b.log == nil || int64(found.EndCursor) >= b.log.Lines)
	return found, nil
}

// holds tells whether a line holds a text, which is in lower case.
func holds(line, text string) bool {
	if strings.Contains(line, "\x1b") {
		line = escapes.ReplaceAllString(line, "")
	}
	return strings.Contains(strings.ToLower(line), text)
}
