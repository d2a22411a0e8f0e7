package agent_test

import (
	"testing"
	"time"
)

// Rule: any traffic counts as life: while the host says something there is no echo, and an echo
// that goes unanswered drops no line over which something else has come since.
func TestAnyTrafficIsLife(t *testing.T) {
	idle(t, func(s *shop, h *host, idle time.Duration) {
		app := s.till("TERM0001")
		for _, stan := range []string{"000101", "000102", "000103"} {
			s.passes(idle - time.Second)
			h.answers(h.askedFor(app.asks(stan)), s.tongue.no)
			app.hears(s.tongue.answered, s.tongue.no)
		}
		h.hearsNothing()
		s.passes(idle)
		h.hears(s.tongue.hi)
		s.passes(s.limits.HostTimeout - time.Second)
		h.answers(h.askedFor(app.asks("000104")), s.tongue.no)
		app.hears(s.tongue.answered, s.tongue.no)
		s.passes(5 * time.Second)
		if h.isOver() {
			s.t.Error("the line is dropped though the host has just answered")
		}
	})
}
