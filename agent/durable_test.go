package agent_test

import (
	"slices"
	"testing"
	"time"

	"reversald/hal/haltest"
	"reversald/iso"
)

// unhurried lets what is only noted wait for a second, so that it shows whether anybody waited for
// the medium: linesNow has what is on it.
func unhurried(s *shop) { s.limits.Linger = time.Second }

// isOnDisk checks what the journal's file holds of a payment in this moment.
func (s *shop) isOnDisk(what, stan string, want ...string) {
	s.t.Helper()
	if got := kinds(storyIn(s.linesNow(), stan)); !slices.Equal(got, want) {
		s.t.Errorf("%s the journal holds %q, want %q", what, got, want)
	}
}

// Rule (unsent): that nothing left is on disk before the app is told.
func TestWhatNeverLeftIsOnDiskBeforeTheAppIsTold(t *testing.T) {
	told := 0
	story(t, func(s *shop) {
		s.atTill = func(m iso.Message) {
			told++
			s.isOnDisk("when the app is told", m.Fields[11], "asked", "unsent")
		}
		s.lineComesUp()
		app := s.till("TERM0001")
		app.asks("000001")
		app.hears("0210", s.profile.Codes().NotSent)
	}, unhurried, firstLine(haltest.Faults{CutToHost: haltest.After(0)}))
	if told != 1 {
		t.Errorf("the app was told %d times", told)
	}
}

// Rule (confirmed): the confirm is on disk before it is acknowledged.
func TestAConfirmIsOnDiskBeforeItIsAnswered(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", "000001"))
		h.answers(h.hears("0200"), "00")
		p := asking.is("approved")
		s.confirms(p.ID, "confirmed", false)
		s.isOnDisk("when the confirm is answered", "000001", "asked", "approved", "confirmed")
	}, unhurried)
}

// Rule (reversed): that the host has undone it is on disk before the app hears so.
func TestAReversalIsDoneOnDiskBeforeTheAppIsTold(t *testing.T) {
	told := 0
	story(t, func(s *shop) {
		s.atTill = func(m iso.Message) {
			if m.MTI != "0410" {
				return
			}
			told++
			s.isOnDisk("when the app is told", m.Fields[11],
				"asked", "doubted", "reversal sent", "reversed")
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		app.reverses("000001")
		h.answers(h.hears("0400"), "00")
		app.hears("0410", "00")
	}, unhurried)
	if told != 1 {
		t.Errorf("the app was told %d times", told)
	}
}

// Rule (resolved, held, released): what a person orders is on disk before the command answers.
func TestAPersonsOrderIsOnDiskBeforeItIsAnswered(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "96")
		id := s.id("000001")
		had := []string{"asked", "doubted", "reversal sent", "reversal answered"}
		if _, err := s.agent.Hold(t.Context(), id, "Li", "wait"); err != nil {
			t.Fatal(err)
		}
		had = append(had, "held")
		s.isOnDisk("when the hold is answered", "000001", had...)
		if _, err := s.agent.Release(t.Context(), id, "Li", ""); err != nil {
			t.Fatal(err)
		}
		h.answers(h.hears("0401"), "58")
		had = append(had, "released", "reversal sent", "stuck")
		s.onFile("000001", had...)
		if _, err := s.agent.Resolve(t.Context(), id, "Li", "the bank gave it back"); err != nil {
			t.Fatal(err)
		}
		s.isOnDisk("when the command is answered", "000001", append(had, "resolved")...)
	}, unhurried)
}
