package agent_test

import (
	"testing"
	"time"

	"reversald/agent"
	"reversald/iso"
)

// Rule: a payment that the app itself reverses is the same payment: one reversal goes to the host,
// and the app gets its answer. In every phase.
func TestTheAppsOwnReversalIsAdopted(t *testing.T) {
	t.Parallel()
	codes := newShop(t).profile.Codes()
	t.Run("asked", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			sale := h.hears("0200")
			app.reverses("000001")
			reversal := h.hears("0400")
			h.hearsNothing()
			h.answers(sale, "00") // overtaken: the app has given its question up
			app.hearsNothing()
			h.answers(reversal, "00")
			app.hears("0410", "00")
			app.hearsNothing()
			s.onFile("000001", "asked", "doubted", "reversal sent", "late answer", "reversed")
		})
	})
	t.Run("approved, on its way to the app", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			app.takes(agent.TellWaits)
			h.answers(h.hears("0200"), "00")
			app.reverses("000001")
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("confirmed", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
			app.reverses("000001") // the card refused the host's approval, say
			h.answers(h.hears("0400"), "00")
			app.hears("0410", "00")
			s.onFile("000001", "asked", "approved", "confirmed", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("confirmed, after a restart", func(t *testing.T) {
		story(t, func(s *shop) {
			t := s.t
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
			s.restarts()
			h = s.lineComesUp()
			app.reverses("000001")
			m := h.hears("0400")
			if m.Fields[37] != "000000000042" || m.Fields[2] != "4111111111111111" {
				t.Errorf("reference %q, card known: %v", m.Fields[37], m.Fields[2] != "")
			}
			h.answers(m, "00")
			app.hears("0410", "00")
		})
	})
	t.Run("doubted", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", codes.Unknown)
			reversal := h.hears("0400")
			app.reverses("000001")
			app.reverses("000001") // and again, as apps do
			h.hearsNothing()
			h.answers(reversal, "00")
			app.hears("0410", "00")
			app.hearsNothing()
			h.hearsNothing()
			s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("reversed", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			s.doubtsAndIsAnswered(h, app, "25")
			app.reverses("000001")
			app.hears("0410", "25")
			h.hearsNothing()
		})
	})
	t.Run("stuck", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			s.doubtsAndIsAnswered(h, app, "58")
			app.reverses("000001")
			app.hears("0410", codes.Unknown)
			h.hearsNothing()
		})
	})
	t.Run("becomes stuck", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.hears("0200")
			app.reverses("000001")
			h.answers(h.hears("0400"), "58")
			app.hears("0410", codes.Unknown)
			s.owes(0, 1)
		})
	})
	for _, phase := range []string{"declined", "resolved", "never seen"} {
		t.Run(phase+": the host decides", func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				switch phase {
				case "declined":
					app.asks("000001")
					h.answers(h.hears("0200"), "51")
					app.hears("0210", "51")
				case "resolved":
					s.doubtsAndIsAnswered(h, app, "58")
					if _, err := s.agent.Resolve(t.Context(), s.id("000001"), "Li", "agreed"); err != nil {
						t.Fatal(err)
					}
				}
				before := len(s.lines())
				app.reverses("000001")
				h.answers(h.hears("0400"), "25")
				app.hears("0410", "25")
				if n := len(s.lines()); n != before {
					t.Errorf("%d entries, want %d: there is nothing of ours to reverse", n, before)
				}
			})
		})
	}
}

// doubtsAndIsAnswered takes payment 000001 to what the host's answer to its reversal makes of it.
func (s *shop) doubtsAndIsAnswered(h *host, app *till, code string) {
	s.t.Helper()
	app.asks("000001")
	h.hears("0200")
	s.passes(s.limits.HostTimeout)
	app.hears("0210", s.profile.Codes().Unknown)
	h.answers(h.hears("0400"), code)
}

// Rule: one answer for each message of the app's: the reversal's goes to the connection that sent it.
func TestTheReversalsAnswerGoesToWhoeverReversed(t *testing.T) {
	story(t, func(s *shop) {
		h, app, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		other.reverses("000001")
		app.hears("0210", s.profile.Codes().Unknown)
		h.answers(h.hears("0400"), "00")
		other.hears("0410", "00")
		app.hearsNothing()
	})
}

// Rule: an app that is gone while its reversal is under way changes nothing for the reversal.
func TestAReversalGoesOnWithoutTheAppThatAskedForIt(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		app.reverses("000001")
		h.hears("0400")
		app.leaves()
		s.passes(s.limits.HostTimeout)
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
	})
}

// Rule: nobody is told "approved" of a payment that is being reversed, though approval and reversal
// were decided in one breath.
func TestAnApprovalAndItsReversalInOneBreath(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0001")
		app.asks("000001")
		first := h.hears("0200")
		app.asks("000002")
		second := h.hears("0200")
		s.atTill = func(m iso.Message) {
			if m.Fields[11] != "000001" {
				return
			}
			// Run is busy here, so that what comes now is settled together.
			body, err := s.profile.Compose("0210", answer(second, "00"))
			if err != nil {
				t.Error(err)
			}
			wire, err := s.profile.AppendFrame(nil, body)
			if err != nil {
				t.Error(err)
			}
			if _, err := h.line.Host.Write(wire); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
			fields := sale("TERM0001", "000002")
			delete(fields, 35)
			fields[39], fields[90] = "17", "020000000203010900000000000000000000000000"
			if body, err = s.profile.Compose("0400", fields); err != nil {
				t.Error(err)
			}
			s.agent.Frame(other, body)
		}
		h.answers(first, "00")
		s.passes(time.Second)
		app.hears("0210", "00")
		app.hears("0210", s.profile.Codes().Unknown)
		app.hearsNothing()
		h.answers(h.hears("0400"), "00")
		other.hears("0410", "00")
		s.onFile("000002", "asked", "approved", "doubted", "reversal sent", "reversed")
	})
}
