package agent_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damages every copy of a payment's first entry: one bit of it turns, in both files.
func (s *shop) damages(stan string) {
	s.t.Helper()
	for _, name := range []string{"journal.db", "journal.db.ring"} {
		path := filepath.Join(s.dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		mark := []byte(`"stan":"` + stan + `"`)
		if !bytes.Contains(data, mark) {
			s.t.Fatalf("%s does not hold payment %s", name, stan)
		}
		hurt := bytes.Clone(mark)
		hurt[len(hurt)-2] ^= 4
		if err := os.WriteFile(path, bytes.ReplaceAll(data, mark, hurt), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Rule: when both copies of one payment are damaged we do not guess: it is held and shown, a person
// closes it, and all others are reversed meanwhile.
func TestAPaymentDamagedInBothPlacesIsHeldAndShown(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h := s.lineComesUp()
		for n, stan := range []string{"000001", "000002", "000003"} {
			app := s.till("TERM000" + string(rune('1'+n)))
			app.asks(stan)
			h.hears("0200")
		}
		damaged := s.id("000002")
		s.killed()
		s.damages("000002")
		s.opens()
		h = s.lineComesUp()
		first, third := h.hears("0400"), h.hears("0400")
		h.hearsNothing()
		if first.Fields[11] != "000001" || third.Fields[11] != "000003" {
			t.Errorf("reversed: %s and %s", first.Fields[11], third.Fields[11])
		}
		h.answers(first, "00")
		h.answers(third, "00")
		s.owes(0, 1)
		p, held, err := s.agent.Look(t.Context(), damaged)
		if err != nil || !held || p.Phase != "stuck" || !strings.Contains(p.Cause, "damaged") {
			t.Errorf("shown as %+v, %v, %v", p, held, err)
		}
		s.passes(time.Hour)
		h.hearsNothing()
		if _, err := s.agent.Resolve(t.Context(), damaged, "Li", "host file: never arrived"); err != nil {
			t.Error(err)
		}
		s.owes(0, 0)
		// Whoever reads the journal sees the hole, and what lies behind it.
		lines := s.lines()
		if lines[damaged-1].Kind != "damaged" || lines[len(lines)-1].Seq != uint64(len(lines)) {
			t.Errorf("entry %d is shown as %q, the last as %d", damaged, lines[damaged-1].Kind, lines[len(lines)-1].Seq)
		}
		story, err := s.agent.Story(damaged - 1)
		if err != nil || len(story) != 4 {
			t.Errorf("the payment before it: %q, %v", kinds(story), err)
		}
	})
}

// Rule: damage to what is closed stops nobody: the open ones are reversed, trade goes on.
func TestADamagedClosedPaymentStopsNobody(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for _, stan := range []string{"000001", "000002", "000003"} {
			app.asks(stan)
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
		}
		app.asks("000004")
		h.hears("0200")
		s.settles()
		s.killed()
		s.damages("000002")
		s.opens()
		h = s.lineComesUp()
		h.answers(h.hears("0400"), "00")
		for _, known := range []string{"000001", "000003"} {
			app.asks(known)
			app.hears("0210", "00")
		}
		app.asks("000005")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
}
