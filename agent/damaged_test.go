package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"reversald/agent"
)

// spoil flips a bit of every place in both files that holds text, so that no copy is whole.
func (s *shop) spoil(text string) {
	s.t.Helper()
	for _, name := range []string{"journal.db", "journal.db.ring"} {
		path := filepath.Join(s.dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(text)) {
			s.t.Fatalf("%s does not hold %s", name, text)
		}
		for at := 0; ; at++ {
			i := bytes.Index(data[at:], []byte(text))
			if i < 0 {
				break
			}
			at += i
			data[at] ^= 1
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Rule: when both copies of what an open payment asked for are damaged, nobody can know: it is
// stuck, start after start, until a person closes it. Nothing is sent for it, and the others go on.
func TestAPaymentWhoseQuestionIsLostIsHeldUntilAPersonClosesIt(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, lost, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0002")
		lost.asks("123450")
		h.hears("0200")
		other.asks("000002")
		h.hears("0200")
		id := s.id("123450")
		s.killed()
		s.spoil(`"stan":"123450"`)
		for _, mti := range []string{"0400", "0401"} {
			s.opens()
			h = s.lineComesUp()
			reversal := h.hears(mti)
			if reversal.Fields[11] == "123450" {
				t.Error("a reversal was sent for what nobody knows")
			}
			s.owes(1, 1)
			open, err := s.agent.Open(context.Background())
			if err != nil || len(open) != 2 || open[0].Cause != "both copies damaged" {
				t.Errorf("open: %+v, %v", open, err)
			}
			s.killed()
		}
		s.opens()
		if _, err := s.agent.Replay(context.Background(), id, "ann", ""); !errors.Is(err, agent.ErrPhase) {
			t.Errorf("replay: %v", err)
		}
		if _, err := s.agent.Resolve(context.Background(), id, "ann", "asked the host"); err != nil {
			t.Error(err)
		}
		h = s.lineComesUp()
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
		s.restarts()
		s.lineComesUp()
		s.owes(0, 0)
	})
}

// Rule: when the question can be read and a later entry can not, the payment is reversed, as any
// other that a power cut has left open.
func TestAPaymentWithAnotherEntryLostIsReversed(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("123450")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		h.hears("0400")
		story := s.story("123450")
		text, err := json.Marshal(story[1].Reason)
		if err != nil {
			t.Fatal(err)
		}
		s.killed()
		s.spoil(`"reason":` + string(text))
		s.opens()
		h = s.lineComesUp()
		h.answers(h.hears("0400"), "00")
		s.owes(0, 0)
	})
}

// Rule: what is lost of a closed payment is found while trade goes on, and marked by the next start.
func TestTheCheckInTheBackgroundMarksWhatIsLost(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		for _, stan := range []string{"123450", "000002"} {
			app.asks(stan)
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
		}
		s.settles()
		s.killed()
		s.spoil(`"stan":"123450"`)
		s.opens()
		h = s.lineComesUp()
		app.asks("000003")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.owes(0, 0)
		found, err := s.journal.SelfCheck(context.Background(), func() {})
		if err != nil || len(found.Faults) == 0 {
			t.Errorf("the check in the background: %+v, %v", found, err)
		}
		old := s.dir
		s.killed()
		text, err := os.ReadFile(filepath.Join(old, "journal.db.suspect"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "journal.db.suspect"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s.opens()
		if f := s.journal.Facts(); f.LostEntries != 1 || f.Quarantine == "" {
			t.Errorf("facts: %+v", f)
		}
	})
}
