package badge_test

import (
	"encoding/xml"
	"testing"

	"drydock.dev/drydock/badge"
)

// TestDraw: each state's badge is XML, says the state to who sees it and to who does not,
// and has a validator of its own.
func TestDraw(t *testing.T) {
	all, err := badge.Draw()
	if err != nil {
		t.Fatal(err)
	}
	etags := map[string]badge.State{}
	for _, state := range []badge.State{badge.Passing, badge.Failing, badge.Building, badge.Unknown} {
		drawn := all[state]
		var picture struct {
			Role  string `xml:"role,attr"`
			Label string `xml:"aria-label,attr"`
			Title string `xml:"title"`
			Words []struct {
				Text string `xml:",chardata"`
			} `xml:"g>text"`
		}
		if err := xml.Unmarshal(drawn.SVG, &picture); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		want := "build: " + string(state)
		if picture.Role != "img" || picture.Label != want || picture.Title != want || len(picture.Words) != 2 || picture.Words[1].Text != string(state) {
			t.Errorf("%s: %+v", state, picture)
		}
		if other, taken := etags[drawn.ETag]; taken || len(drawn.ETag) < 3 {
			t.Errorf("%s has the validator %s of %s", state, drawn.ETag, other)
		}
		etags[drawn.ETag] = state
	}
}
