package agent_test

import (
	"testing"
)

// Rule: a payment that is reversed again after its reversal was accepted is still known in full after
// a restart.
func TestAPaymentReversedAgainSurvivesARestart(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		sale := h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(1), s.tongue.done[0])
		h.answers(sale, s.tongue.yes)
		first := h.reversal(1)
		s.restarts()
		h = s.lineComesUp()
		again := h.reversal(2)
		if again.Fields[2] != first.Fields[2] || again.Fields[4] != first.Fields[4] {
			s.t.Error("the reversal after the restart is about something else")
		}
		h.answers(again, s.tongue.done[0])
		s.owes(0, 0)
	})
}
