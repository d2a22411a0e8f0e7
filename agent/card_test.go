package agent_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Rule: people see a card as its first six and last four digits, in the story of a payment and in
// the list of the open ones; that nothing else of it shows is checked at the end of every story.
func TestACardIsShownMasked(t *testing.T) {
	const masked = "411111******1111"
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		open, err := s.agent.Open(t.Context())
		if err != nil || len(open) != 1 || open[0].Card != masked {
			t.Errorf("open: %+v, %v", open, err)
		}
		story, err := s.agent.Story(s.id("000001"))
		if err != nil || story[0].Card != masked {
			t.Errorf("story: %+v, %v", story, err)
		}
		text, err := json.Marshal(story)
		if err != nil || !strings.Contains(string(text), masked) {
			t.Errorf("as JSON: %s, %v", text, err)
		}
		s.restarts()
		s.lineComesUp().hears("0401")
		if open, err = s.agent.Open(t.Context()); err != nil || open[0].Card != masked {
			t.Errorf("after a restart: %+v, %v", open, err)
		}
	})
}

// The check itself sees what it looks for.
func TestTheCheckForCardDataFindsIt(t *testing.T) {
	for _, secret := range secrets {
		if leakIn("before "+secret+" after") == "" {
			t.Errorf("%q is not found", secret)
		}
	}
	if leak := leakIn("411111******1111 \x41\x11\x11"); leak != "" {
		t.Errorf("%q is no leak", leak)
	}
}
