package agent_test

import (
	"testing"
	"time"
)

// Rule: a good sale is one question and one answer, in every dialect, and the till's bytes go out
// as they are.
func TestAGoodSaleInEveryDialect(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.answers(h.askedFor(app.asks("000001")), s.tongue.yes)
		app.hears(s.tongue.answered, s.tongue.yes)
		h.answers(h.askedFor(app.asks("000002")), s.tongue.no)
		app.hears(s.tongue.answered, s.tongue.no)
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.yes)
		app.asks("000002")
		app.hears(s.tongue.answered, s.tongue.no)
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed")
		s.onFile("000002", "asked", "declined")
	})
}

// Rule: silence is answered with "unknown" in the dialect's own code, and with a reversal: the first
// MTI, and after one host timeout the one for repeats, until the host has undone it.
func TestSilenceIsReversedInEveryDialect(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout - time.Millisecond)
		app.hearsNothing()
		h.hearsNothing()
		s.passes(time.Millisecond)
		app.hears(s.tongue.answered, s.tongue.unknown)
		first := h.reversal(1)
		for n, want := range s.tongue.reason {
			if got := first.Fields[n]; got != want {
				s.t.Errorf("the reversal says %q in field %d, want %q", got, n, want)
			}
		}
		for _, n := range []int{35, 48, 52} {
			if first.Fields[n] != "" {
				s.t.Errorf("the reversal has field %d", n)
			}
		}
		s.passes(s.limits.HostTimeout - time.Millisecond)
		h.hearsNothing()
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.unknown)
		s.passes(time.Millisecond)
		h.answers(h.reversal(2), s.tongue.done[0])
		s.owes(0, 0)
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.reversed)
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
	})
}

// Rule: every code that ends a reversal in the dialect ends it, and none goes out after it.
func TestEveryDoneCodeEndsTheReversal(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for i, code := range s.tongue.done {
			stan := "00010" + string(rune('0'+i))
			app.asks(stan)
			h.hears(s.tongue.ask)
			s.passes(s.limits.HostTimeout)
			app.hears(s.tongue.answered, s.tongue.unknown)
			h.answers(h.reversal(1), code)
			s.owes(0, 0)
			s.onFile(stan, "asked", "doubted", "reversal sent", "reversed")
		}
		s.passes(time.Hour)
		h.hearsNothing()
	})
}

// Rule: a code that puts a reversal off is no end: it goes out again, not before one host timeout.
func TestEveryRetryCodePutsTheReversalOff(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for i, code := range s.tongue.retry {
			stan := "00020" + string(rune('0'+i))
			app.asks(stan)
			h.hears(s.tongue.ask)
			s.passes(s.limits.HostTimeout)
			app.hears(s.tongue.answered, s.tongue.unknown)
			h.answers(h.reversal(1), code)
			s.owes(1, 0)
			s.passes(s.limits.HostTimeout - time.Millisecond)
			h.hearsNothing()
			s.passes(time.Millisecond)
			h.answers(h.reversal(2), s.tongue.done[0])
			s.owes(0, 0)
			s.onFile(stan, "asked", "doubted", "reversal sent", "reversal answered", "reversal sent",
				"reversed")
		}
	})
}

// Rule: any other code is stuck: it stays on file, is not sent again, and trade goes on.
func TestEveryOtherCodeWantsAPerson(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for i, code := range s.tongue.stuck {
			stan := "00030" + string(rune('0'+i))
			app.asks(stan)
			h.hears(s.tongue.ask)
			s.passes(s.limits.HostTimeout)
			app.hears(s.tongue.answered, s.tongue.unknown)
			h.answers(h.reversal(1), code)
			s.owes(0, i+1)
			app.asks(stan)
			app.hears(s.tongue.answered, s.tongue.unknown)
			s.onFile(stan, "asked", "doubted", "reversal sent", "stuck")
		}
		s.passes(time.Hour)
		h.hearsNothing()
	})
}

// Rule: KILL at any place of a life: what was not finished is reversed, as a repeat where an attempt
// may have left, and the till that asks again hears the truth in its dialect.
func TestARestartInTheMiddleInEveryDialect(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears(s.tongue.ask)
		s.restarts()
		h = s.lineComesUp()
		first := h.reversal(1)
		s.restarts()
		h = s.lineComesUp()
		again := h.reversal(2)
		if first.Fields[2] != "4111111111111111" || again.Fields[2] != first.Fields[2] ||
			again.Fields[4] != first.Fields[4] {
			s.t.Error("the reversal after the restart is about something else")
		}
		app = s.till("TERM0001")
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.unknown)
		h.answers(again, s.tongue.done[0])
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.reversed)
		s.restarts()
		h = s.lineComesUp()
		app = s.till("TERM0001")
		app.asks("000001")
		app.hears(s.tongue.answered, s.tongue.reversed)
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
		h.hearsNothing()
	})
}

// Rule: a late approval is evidence. It never answers the reversal, though terminal and trace number
// are the same, and the till does not hear of it.
func TestALateApprovalAnswersNoReversal(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		sale := h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		app.hears(s.tongue.answered, s.tongue.unknown)
		h.reversal(1)
		h.answers(sale, s.tongue.yes)
		s.owes(1, 0)
		app.hearsNothing()
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(2), s.tongue.done[0])
		s.onFile("000001", "asked", "doubted", "reversal sent", "late answer", "reversal sent", "reversed")
	})
}

// Rule: an approval that comes after the reversal was accepted was overtaken by it: it is reversed
// again, by a new one.
func TestAnApprovalAfterTheReversalIsReversedAgain(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		sale := h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		app.hears(s.tongue.answered, s.tongue.unknown)
		h.answers(h.reversal(1), s.tongue.done[0])
		h.answers(sale, s.tongue.yes)
		s.owes(1, 0)
		app.hearsNothing()
		h.answers(h.reversal(1), s.tongue.done[0])
		s.owes(0, 0)
	})
}

// Rule: a code that says neither yes nor no is reversed, and the till hears "unknown".
func TestAnUnclearAnswerIsReversedInEveryDialect(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.answers(h.askedFor(app.asks("000001")), s.tongue.unclear)
		app.hears(s.tongue.answered, s.tongue.unknown)
		h.answers(h.reversal(1), s.tongue.done[0])
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	})
}
