package agent_test

import (
	"testing"
	"time"
)

// echoing is how long a line may be quiet in a dialect before the terminal asks whether the host is
// there.
var echoing = map[string]time.Duration{
	"unionpay": 120 * time.Second, "iso93": 60 * time.Second, "as2805": 60 * time.Second,
}

// idle tells a story once in every dialect that has an echo, on a line over which the terminal has
// just signed on.
func idle(t *testing.T, f func(s *shop, h *host, idle time.Duration), changes ...func(*shop)) {
	t.Helper()
	t.Parallel()
	for name, after := range echoing {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				h := s.lineComesUp()
				h.handsKeys(1)
				f(s, h, after)
			}, append([]func(*shop){speaking(name), signedOn}, changes...)...)
		})
	}
}

// Rule: a quiet line is asked whether it is alive, once; with an answer it stays.
func TestAQuietLineIsAskedOnce(t *testing.T) {
	idle(t, func(s *shop, h *host, idle time.Duration) {
		for range 3 {
			s.passes(idle - time.Millisecond)
			h.hearsNothing()
			s.passes(time.Millisecond)
			h.answers(h.hears(s.tongue.hi), s.tongue.helloed)
		}
		if s.status().Host == "" {
			s.t.Error("the line is gone")
		}
		if n := len(s.strays()); n != 0 {
			s.t.Errorf("%d echoes are called stray", n)
		}
	})
}

// Rule: any answer to the echo will do: a host that refuses it is there.
func TestARefusedEchoIsLife(t *testing.T) {
	idle(t, func(s *shop, h *host, idle time.Duration) {
		s.passes(idle)
		h.answers(h.hears(s.tongue.hi), s.tongue.stuck[0])
		s.passes(s.limits.HostTimeout)
		h.hearsNothing()
		if h.isOver() {
			s.t.Error("the line is dropped")
		}
	})
}

// isOver says that the line has ended.
func (h *host) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// Rule: no answer to the echo: the line leads nowhere. It is dropped and dialled again, and what is
// owed goes out on the new one.
func TestALineThatLeadsNowhereIsDialledAgain(t *testing.T) {
	idle(t, func(s *shop, h *host, idle time.Duration) {
		app := s.till("TERM0001")
		s.passes(idle)
		h.hears(s.tongue.hi)
		s.passes(s.limits.HostTimeout / 2)
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout/2 - time.Millisecond)
		if h.isOver() {
			s.t.Error("the line is dropped too early")
		}
		s.passes(time.Millisecond)
		if !h.isOver() {
			s.t.Fatal("the line is still there")
		}
		app.hears(s.tongue.answered, s.tongue.unknown)
		h = s.lineComesUp()
		h.handsKeys(2)
		h.answers(h.reversal(1), s.tongue.done[0])
		s.owes(0, 0)
	})
}

// Rule: where nobody knows the terminal there is no echo, and no tight loop about it.
func TestAnUnknownTerminalSendsNoEcho(t *testing.T) {
	everywhere(t, func(s *shop) {
		h := s.lineComesUp()
		s.passes(time.Hour)
		h.hearsNothing()
		if h.isOver() {
			s.t.Error("the line is dropped")
		}
	}, func(s *shop) { s.answersSelf = false })
}
