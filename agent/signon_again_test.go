package agent_test

import (
	"testing"
	"time"
)

// Rule: a code that wants a sign-on right after one (the keys are that fresh) is no tight loop: the
// next sign-on waits a little, and the reversal waits for it.
func TestASignOnRightAfterASignOnWaits(t *testing.T) {
	greeted(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		h.askedFor(app.asks("000001"))
		h.cut()
		h = s.lineComesUp()
		h.handsKeys(2)
		h.answers(h.reversal(1), s.tongue.signOn[0])
		h.hearsNothing()
		s.passes(5*time.Second - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		h.handsKeys(3)
		again := h.reversal(2)
		if s.bank != nil {
			h.proven()
		}
		h.answers(again, s.tongue.done[0])
		s.owes(0, 0)
		h.hearsNothing()
	})
}

// Rule: a host that wants a sign-on after every single reversal is asked a few times, and then ever
// more rarely, for ever.
func TestAHostThatAlwaysWantsASignOnIsNoTightLoop(t *testing.T) {
	greeted(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		heard := map[string]int{}
		for range 600 {
			for _, m := range h.all() {
				heard[m.MTI]++
				if m.MTI == s.tongue.hello {
					h.answers(m, s.tongue.helloed)
				} else {
					h.answers(m, s.tongue.signOn[0])
				}
			}
			s.passes(time.Second)
		}
		reversals := heard[s.tongue.first]
		if s.tongue.repeat != s.tongue.first {
			reversals += heard[s.tongue.repeat]
		}
		if reversals < 4 || reversals > 12 {
			s.t.Errorf("%d reversals in ten minutes", reversals)
		}
		if n := heard[s.tongue.hello]; n < 3 || n > 24 { // echoes have the same MTI in some
			s.t.Errorf("%d sign-ons in ten minutes", n)
		}
		s.owes(1, 0)
	})
}
