package agent_test

import (
	"maps"
	"testing"

	"reversald/iso"
)

// withAmount is a host's answer that speaks of an amount.
func withAmount(m iso.Message, code, amount string) map[int]string {
	fields := maps.Clone(answer(m, code))
	fields[4] = amount
	return fields
}

// Rule: an answer that speaks of another amount is the answer to another payment with the same
// trace number, and decides nothing. Found by the simulator: a bank answered an old request twice,
// and the second answer met a new sale after the trace numbers had begun again.
func TestAnAnswerOverAnotherAmountIsNone(t *testing.T) {
	for _, code := range []string{"00", "51", "68"} {
		t.Run(code, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000123")
				m := h.hears("0200")
				h.says("0210", withAmount(m, code, "000000000999"))
				app.hearsNothing()
				if len(s.strays()) != 1 {
					t.Errorf("strays: %v", s.strays())
				}
				h.says("0210", withAmount(m, "00", "000000001234")) // the true one
				app.hears("0210", "00")
				s.onFile("000123", "asked", "approved", "confirmed")
			})
		})
	}
}

// An answer to a reversal is looked at in the same way.
func TestAReversalIsNotAnsweredOverAnotherAmount(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000123")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		m := h.hears("0400")
		h.says("0410", withAmount(m, "00", "000000000999"))
		s.owes(1, 0)
		h.says("0410", withAmount(m, "00", "000000001234"))
		s.owes(0, 0)
	})
}

// A part may be approved: less than was asked for, with a code that says so, never more.
func TestAPartMayBeApproved(t *testing.T) {
	for amount, told := range map[string]bool{"000000001000": true, "000000001300": false} {
		t.Run(amount, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000123")
				h.says("0210", withAmount(h.hears("0200"), "10", amount))
				if told {
					app.hears("0210", "10")
				} else {
					app.hearsNothing()
				}
			})
		})
	}
}

// Rule: a host that adds a surcharge, or rounds, approves sales over other amounts where its profile
// says match.amount: any. Where it says exact, as it does by itself, the sale is reversed.
func TestASurchargeIsAllowedByTheProfile(t *testing.T) {
	const dialect = "name: surcharge\nabout: test\nextends: iso87-ascii\nmatch: {amount: "
	for word, approved := range map[string]bool{"any": true, "exact": false} {
		t.Run(word, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000123")
				h.says("0210", withAmount(h.hears("0200"), "00", "000000001250"))
				if approved {
					app.hears("0210", "00")
					s.onFile("000123", "asked", "approved", "confirmed")
					return
				}
				app.hearsNothing()
				s.passes(s.limits.HostTimeout)
				app.hears("0210", s.profile.Codes().Unknown)
				m := h.hears("0400")
				h.says("0410", withAmount(m, "00", "000000001250")) // over another amount again
				s.owes(1, 0)
			}, func(s *shop) {
				profile, err := iso.Parse([]byte(dialect+word+"}\n"), "surcharge.yaml")
				if err != nil {
					s.t.Fatal(err)
				}
				s.profile = profile
			})
		})
	}
}
