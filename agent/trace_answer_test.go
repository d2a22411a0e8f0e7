package agent_test

import (
	"testing"
)

// Rule: an answer to an earlier attempt, with that attempt's number, settles the payment too.
func TestTheAnswerToAnEarlierAttemptIsMatched(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		first := h.reversal(1)
		s.passes(s.limits.HostTimeout)
		h.reversal(2)
		h.answers(first, "400")
		s.owes(0, 0)
	}, speaking("iso93"))
}

// Rule: an answer with the number of the newest attempt is matched after a restart too.
func TestTheAnswerToAnAttemptBeforeTheRestartIsMatched(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		first := h.reversal(1)
		s.restarts()
		h = s.lineComesUp()
		h.answers(first, "400")
		s.owes(0, 0)
	}, speaking("iso93"))
}

// Rule: a trace number of our own is nobody else's, though an app may use it for a sale: an answer
// to one payment's reversal never settles another payment, not even after a restart.
func TestAnAnswerToAnotherReversalSettlesNothing(t *testing.T) {
	for name, live := range map[string]func(s *shop, h *host) *host{
		"in one life": func(_ *shop, h *host) *host { return h },
		"after a restart": func(s *shop, _ *host) *host {
			s.restarts()
			return s.lineComesUp()
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				h.askedFor(app.asks("000123"))
				s.passes(s.limits.HostTimeout)
				app.hears("1210", "911")
				first := h.reversal(1)
				h.answers(first, "902") // stuck: trade goes on
				h.askedFor(app.asks(first.Fields[11]))
				s.passes(s.limits.HostTimeout)
				app.hears("1210", "911")
				second := h.reversal(1)
				if second.Fields[11] == first.Fields[11] {
					s.t.Errorf("both reversals have trace number %s", first.Fields[11])
				}
				h = live(s, h)
				h.all()
				h.answers(first, "400")
				s.owes(1, 0) // the stuck one is undone after all; the other is not
				s.passes(s.limits.HostTimeout)
				h.answers(h.reversal(2), "400")
				s.owes(0, 0)
			}, speaking("iso93"))
		})
	}
}

// Rule: the same for an earlier attempt, which nobody remembers after a restart: its answer is a
// stray, and settles nobody's reversal.
func TestAnAnswerToAnEarlierAttemptAfterARestartIsAStray(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		first := h.reversal(1)
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(2), "902")
		h.askedFor(app.asks(first.Fields[11]))
		s.passes(s.limits.HostTimeout)
		h.reversal(1)
		s.restarts()
		h = s.lineComesUp()
		h.reversal(2)
		h.answers(first, "400")
		s.owes(1, 1)
		if n := len(s.strays()); n != 1 {
			s.t.Errorf("%d strays", n)
		}
	}, speaking("iso93"))
}

// Rule: where the first attempt has the original's number, an app may give a sale the number that a
// repeat of another reversal had: the answer is to whoever sent last.
func TestTheAnswerIsToWhoeverSentLast(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		h.reversal(1)
		s.passes(s.limits.HostTimeout)
		again := h.reversal(2)
		h.answers(again, "97") // stuck
		h.askedFor(app.asks(again.Fields[11]))
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(1), "00")
		s.owes(0, 1)
		s.onFile(again.Fields[11], "asked", "doubted", "reversal sent", "reversed")
	}, speakingAs("iso87-bcd", "own-trace.yaml"))
}

// Rule: a host may want the original's number first and new ones in repeats.
func TestOnlyRepeatsHaveATraceNumberOfTheirOwn(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		s.passes(s.limits.HostTimeout)
		if stan := h.reversal(1).Fields[11]; stan != "000123" {
			s.t.Errorf("the first attempt has %s", stan)
		}
		s.passes(s.limits.HostTimeout)
		again := h.reversal(2)
		if again.Fields[11] != "000001" {
			s.t.Errorf("the second attempt has %s", again.Fields[11])
		}
		s.restarts()
		h = s.lineComesUp()
		if stan := h.reversal(3).Fields[11]; stan != "000002" {
			s.t.Errorf("the third attempt has %s", stan)
		}
		h.answers(again, "00")
		s.owes(0, 0)
	}, speakingAs("iso87-bcd", "own-trace.yaml"))
}
