package agent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reversald/agent"
)

// Rule: a person may stop our attempts, with a name and a reason. It is owed all the same: counted,
// shown, there after a restart, and it goes on when it is released.
func TestAPersonHoldsAReversal(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "96")
		id := s.id("000001")
		if _, err := s.agent.Hold(t.Context(), id, "Li Wei", ""); !errors.Is(err, agent.ErrNoName) {
			t.Errorf("without a reason: %v", err)
		}
		p, err := s.agent.Hold(t.Context(), id, "Li Wei", "the host asks for it")
		if err != nil || !p.Held || p.Phase != "doubted" || p.NextIn != nil {
			t.Fatalf("held: %+v, %v", p, err)
		}
		if _, err := s.agent.Hold(t.Context(), id, "Li", "again"); !errors.Is(err, agent.ErrPhase) {
			t.Errorf("held twice: %v", err)
		}
		if _, err := s.agent.Replay(t.Context(), id, "Li", ""); !errors.Is(err, agent.ErrPhase) ||
			!strings.Contains(err.Error(), "release it first") {
			t.Errorf("replayed while held: %v", err)
		}
		if _, err := s.agent.Resolve(t.Context(), id, "Li", "x"); !errors.Is(err, agent.ErrPhase) {
			t.Errorf("a hold let a person close it: %v", err)
		}
		s.passes(40 * 24 * time.Hour)
		h.hearsNothing()
		s.owes(1, 0)
		if st := s.status(); st.Held != 1 || st.Overdue != 1 || st.Open != 1 {
			t.Errorf("held %d, overdue %d, open %d; want one each", st.Held, st.Overdue, st.Open)
		}

		// Trade goes on beside it.
		app.asks("000002")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")

		s.restarts()
		h = s.lineComesUp()
		h.hearsNothing()
		s.passes(24 * time.Hour)
		h.hearsNothing()
		if st := s.status(); st.Held != 1 || st.Owed != 1 {
			t.Errorf("after a restart held %d of %d owed", st.Held, st.Owed)
		}
		if p, err = s.agent.Release(t.Context(), id, "Li Wei", ""); err != nil || p.Held {
			t.Fatalf("released: %+v, %v", p, err)
		}
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal answered", "held",
			"released", "reversal sent", "reversed")
		if _, err := s.agent.Release(t.Context(), id, "Li", ""); !errors.Is(err, agent.ErrNoPayment) {
			t.Errorf("a closed one released: %v", err)
		}
	})
}

// Rule: an answer to an attempt that had left settles what is held.
func TestAHeldReversalIsSettledByItsAnswer(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		app.hears("0210", s.profile.Codes().Unknown)
		sent := h.hears("0400")
		if _, err := s.agent.Hold(t.Context(), s.id("000001"), "Li", "wait"); err != nil {
			t.Fatal(err)
		}
		h.answers(sent, "00")
		s.owes(0, 0)
		if st := s.status(); st.Held != 0 {
			t.Errorf("%d held, and nothing is owed", st.Held)
		}
		s.onFile("000001", "asked", "doubted", "reversal sent", "held", "reversed")
	})
}

// Rule: an unanswered attempt of a held payment is not followed by another, on this line or the
// next.
func TestNoLineLetsGoOfAHold(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		if _, err := s.agent.Hold(s.t.Context(), s.id("000001"), "Li", "wait"); err != nil {
			s.t.Fatal(err)
		}
		s.passes(10 * s.limits.HostTimeout)
		h.hearsNothing()
		h.cut()
		h = s.lineComesUp()
		s.passes(10 * s.limits.HostTimeout)
		h.hearsNothing()

		// The app's own reversal is not sent either, and the app hears that nobody knows.
		app.reverses("000001")
		h.hearsNothing()
		app.hears("0410", s.profile.Codes().Unknown)
		s.owes(1, 0)
	})
}

// Rule: what people say is on file before they are answered, without card numbers, and not without
// end.
func TestCommandsAreOnFile(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		pan := "4111" + "111111111111"
		if err := s.agent.Command(t.Context(), "console", "log-in refused: zhang"); err != nil {
			t.Fatal(err)
		}
		if err := s.agent.Command(t.Context(), "li", "show "+pan); err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][2]string{{"", "x"}, {"x", ""}} {
			if err := s.agent.Command(t.Context(), bad[0], bad[1]); !errors.Is(err, agent.ErrNoName) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if err := s.agent.Command(t.Context(), "li", strings.Repeat("x", 401)); !errors.Is(err,
			agent.ErrTooLong) {
			t.Errorf("a long one: %v", err)
		}
		for range 58 {
			if err := s.agent.Command(t.Context(), "li", "status"); err != nil {
				t.Fatal(err)
			}
		}
		for range 7 {
			if err := s.agent.Command(t.Context(), "li", "status"); !errors.Is(err, agent.ErrTooMany) {
				t.Fatalf("one too many: %v", err)
			}
		}
		s.passes(time.Second)
		if err := s.agent.Command(t.Context(), "li", "log out"); err != nil {
			t.Fatal(err)
		}
		lines := s.lines()
		if len(lines) != 61 {
			t.Fatalf("%d entries, want 61", len(lines))
		}
		if l := lines[0]; l.Kind != "command" || l.By != "console" || l.What != "log-in refused: zhang" {
			t.Errorf("the first: %+v", l)
		}
		if l := lines[1]; l.What != "show 411111******1111" {
			t.Errorf("the second says %q", l.What)
		}
		if l := lines[60]; l.Missed != 7 {
			t.Errorf("the last tells of %d that were missed", l.Missed)
		}
		s.restarts()
		if st := s.status(); st.Open != 0 || st.Entries != 61 {
			t.Errorf("after a restart: %+v", st)
		}
	})
}

// Rule: a person's words hold no card number on file.
func TestOrdersAreOnFileWithoutCards(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		pan := "4111 1111 " + "1111 1111"
		if _, err := s.agent.Resolve(s.t.Context(), s.id("000001"), "Li", "refunded to "+pan); err != nil {
			s.t.Fatal(err)
		}
		story := s.story("000001")
		if why := story[len(story)-1].Why; why != "refunded to 4111 11** **** 1111" {
			s.t.Errorf("on file: %q", why)
		}
	})
}
