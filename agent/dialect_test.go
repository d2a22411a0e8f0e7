package agent_test

import (
	"testing"
	"time"

	"reversald/agent"
	"reversald/iso"
)

// Rule: a dialect is data: the same life in both encodings of ISO 8583:1987.
func TestTheSameLifeInEveryDialect(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"iso87-ascii", "iso87-bcd"} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				profile := s.profile
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				h.answers(h.hears("0200"), "00")
				app.hears("0210", "00")
				app.asks("000002")
				h.hears("0200")
				s.passes(s.limits.HostTimeout)
				app.hears("0210", profile.Codes().Unknown)
				h.hears("0400")
				app.asks("000003")
				s.restarts()
				h = s.lineComesUp()
				h.answers(h.hears("0401"), "25")
				app.asks("000002")
				app.hears("0210", profile.Codes().Reversed)
				s.onFile("000001", "asked", "approved", "confirmed")
				s.onFile("000002", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
				s.onFile("000003")
			}, func(s *shop) {
				profile, err := iso.Builtin(name)
				if err != nil {
					s.t.Fatal(err)
				}
				s.profile = profile
			})
		})
	}
}

// Rule: a terminal's clock may jump or stand in 1970: the order is the journal's, the waits are
// monotonic, and nothing is called overdue because of it.
func TestAClockThatJumpsChangesNothing(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]func(s *shop){
		"ahead":        func(s *shop) { s.clock.Jump(10 * 365 * 24 * time.Hour) },
		"back":         func(s *shop) { s.clock.Jump(-10 * 365 * 24 * time.Hour) },
		"flat battery": func(s *shop) { s.clock.Reset1970() },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				app.asks("000002")
				h.all()
				jump(s)
				s.passes(s.limits.HostTimeout - time.Millisecond)
				h.hearsNothing()
				s.passes(time.Millisecond)
				first := h.hears("0400")
				s.passes(s.limits.HostTimeout - time.Millisecond)
				h.hearsNothing()
				s.passes(time.Millisecond)
				h.hears("0401")
				s.clock.Reboot()
				s.restarts()
				h = s.lineComesUp()
				again := h.hears("0401")
				if first.Fields[11] != "000001" || again.Fields[11] != "000001" {
					t.Errorf("the order is %s, %s", first.Fields[11], again.Fields[11])
				}
				if name != "ahead" && s.status().Overdue != 0 {
					t.Error("a payment from the future is called overdue")
				}
				h.answers(again, "00")
				h.answers(h.hears("0400"), "00")
				s.owes(0, 0)
			})
		})
	}
}

// Rule: a host that only keeps the line alive answers nothing: the time is up all the same.
func TestKeepalivesAreNoAnswers(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		for range 10 {
			s.passes(s.limits.HostTimeout / 10)
			h.writes(nil)
		}
		app.hears("0210", "68")
		h.hears("0400")
		s.passes(0)
	})
}

// Rule: a line that lets nothing pass and does not end (a firewall, a cell that was left) is silence;
// what it held back and lets go later is late.
func TestALineThatFallsSilent(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		h.line.Silence(true)
		h.answers(sale, "00")
		s.passes(s.limits.HostTimeout)
		app.hears("0210", "68")
		s.passes(s.limits.HostTimeout)
		h.hearsNothing()
		h.line.Silence(false)
		h.hears("0400")
		h.answers(h.hears("0401"), "00")
		app.hearsNothing()
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "late answer", "reversed")
	})
}

// Rule: an app that jumps from connection to connection has one payment, not several.
func TestAnAppThatReconnectsForEveryQuestion(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		first := s.till("TERM0001")
		first.asks("000001")
		sale := h.hears("0200")
		for range 20 {
			app := s.till("TERM0001")
			app.asks("000001")
			app.leaves()
		}
		last := s.till("TERM0001")
		last.asks("000001")
		first.leaves()
		h.hearsNothing()
		last.takes(agent.TellDelivered)
		h.answers(sale, "00")
		last.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}
