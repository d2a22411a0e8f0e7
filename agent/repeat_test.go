package agent_test

import (
	"fmt"
	"testing"
	"time"

	"reversald/agent"
	"reversald/hal/haltest"
)

// Rule: the app may repeat a question; it gets the outcome on file, and nothing is sent twice. In
// every phase, in the same life and after KILL.
func TestARepeatedQuestionGetsTheOutcomeOnFile(t *testing.T) {
	t.Parallel()
	codes := newShop(t).profile.Codes()
	// Each case takes payment 000001 to a phase, and says what whoever asks again hears, at once,
	// in this life and in the next. At power-up what was asked becomes doubtful.
	cases := []struct {
		phase              string
		reach              func(s *shop, h *host, app *till)
		hears, afterwards  string
		reversedAfterwards bool // the next life sends a reversal
	}{
		{"asked", func(s *shop, h *host, app *till) {
			h.hears("0200")
		}, "", codes.Unknown, true},
		{"confirmed", func(s *shop, h *host, app *till) {
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
		}, "00", "00", false},
		{"declined", func(s *shop, h *host, app *till) {
			h.answers(h.hears("0200"), "51")
			app.hears("0210", "51")
		}, "51", "51", false},
		{"doubted", func(s *shop, h *host, app *till) {
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", codes.Unknown)
			h.hears("0400")
		}, codes.Unknown, codes.Unknown, true},
		{"stuck", func(s *shop, h *host, app *till) {
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", codes.Unknown)
			h.answers(h.hears("0400"), "58")
		}, codes.Unknown, codes.Unknown, false},
		{"reversed", func(s *shop, h *host, app *till) {
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", codes.Unknown)
			h.answers(h.hears("0400"), "00")
		}, codes.Reversed, codes.Reversed, false},
		{"resolved", func(s *shop, h *host, app *till) {
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", codes.Unknown)
			h.answers(h.hears("0400"), "58")
			if _, err := s.agent.Resolve(s.t.Context(), s.id("000001"), "Li", "host file agrees"); err != nil {
				s.t.Fatal(err)
			}
		}, codes.Reversed, codes.Reversed, false},
	}
	for _, c := range cases {
		t.Run(c.phase, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				c.reach(s, h, app)
				again := s.till("TERM0001")
				again.asks("000001")
				if c.hears == "" {
					again.hearsNothing()
				} else {
					again.hears("0210", c.hears)
				}
				h.hearsNothing()

				s.restarts()
				h = s.lineComesUp()
				late := s.till("TERM0001")
				late.asks("000001")
				late.hears("0210", c.afterwards)
				if c.reversedAfterwards {
					h.answers(h.all()[0], "00")
				}
				h.hearsNothing()
			})
		})
	}
}

// Rule: while the host is silent the answer goes to whoever asked last.
func TestTheAnswerGoesToWhoeverAskedLast(t *testing.T) {
	story(t, func(s *shop) {
		h, app, again := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		again.asks("000001")
		app.leaves() // the connection it had given up
		h.answers(sale, "00")
		again.hears("0210", "00")
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}

// Rule: an approval on its way to an app is confirmed by whoever gets all of it; that the older
// connection did not is no doubt while the newer one takes it.
func TestAnApprovalIsOnItsWayToTwoConnections(t *testing.T) {
	t.Parallel()
	waiting := func(s *shop) (h *host, app, again *till) {
		h, app, again = s.lineComesUp(), s.till("TERM0001"), s.till("TERM0001")
		app.takes(agent.TellWaits)
		again.takes(agent.TellWaits)
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		again.asks("000001")
		return h, app, again
	}
	t.Run("the older is cut off first", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app, again := waiting(s)
			s.agent.Told(app.tickets[0], false)
			app.leaves()
			h.hearsNothing()
			s.agent.Told(again.tickets[0], true)
			s.onFile("000001", "asked", "approved", "confirmed")
			h.hearsNothing()
		})
	})
	t.Run("the newer is cut off", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app, again := waiting(s)
			s.agent.Told(app.tickets[0], false)
			s.agent.Told(again.tickets[0], false)
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("the older gets all of it", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app, again := waiting(s)
			s.agent.Told(app.tickets[0], true)
			s.agent.Told(again.tickets[0], false)
			s.onFile("000001", "asked", "approved", "confirmed")
			h.hearsNothing()
		})
	})
}

// Rule: nothing is sent twice, after any number of payments and a KILL.
func TestTheNewestPaymentIsKnownAfterARestartHoweverLongTheJournal(t *testing.T) {
	const payments = 500 // times three entries
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for n := range payments {
			app.asks(fmt.Sprintf("%06d", n))
			h.answers(h.hears("0200"), "00")
			app.hears("0210", "00")
		}
		s.restarts()
		h = s.lineComesUp()
		for _, n := range []int{payments - 1, payments - 100, payments - 400} {
			app.asks(fmt.Sprintf("%06d", n))
			app.hears("0210", "00")
		}
		h.hearsNothing()
	})
}

// Rule: the outcome on file is the host's: its reference and its authorization come again.
func TestTheAnswerOnFileIsTheHosts(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.restarts()
		app.asks("000001")
		m := app.hears("0210", "00")
		if m.Fields[37] != "000000000042" || m.Fields[38] != "A1B2C3" || m.Fields[4] != "000000001234" {
			t.Errorf("reference %q, authorization %q, amount %q", m.Fields[37], m.Fields[38], m.Fields[4])
		}
		s.lineComesUp().hearsNothing()
	})
}

// Rule: a trace number that is open is refused to any other payment; once closed it is free.
func TestATraceNumberInUseIsRefused(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		first := h.hears("0200")
		dearer := sale("TERM0001", "000001")
		dearer[4] = "000000009900"
		app.sends("0200", dearer)
		app.hears("0210", s.profile.Codes().Refused)
		h.hearsNothing()
		h.answers(first, "00")
		app.hears("0210", "00")
		app.sends("0200", dearer) // a day and a million payments later
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}

// Rule: a stuck payment does not block trade, and its trace number is taken all the same: what the
// host says about that number may be about either.
func TestATraceNumberOfAStuckPaymentIsRefused(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		dearer := sale("TERM0001", "000001")
		dearer[4] = "000000009900"
		app.sends("0200", dearer)
		app.hears("0210", s.profile.Codes().Refused)
		h.hearsNothing()
		s.owes(0, 1)
		if _, err := s.agent.Resolve(s.t.Context(), s.id("000001"), "Li", "the bank gave it back"); err != nil {
			s.t.Fatal(err)
		}
		app.sends("0200", dearer)
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
}

// Rule: a payment asked again with another transmission time only is the same payment.
func TestARepeatWithANewTransmissionTimeIsARepeat(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		later := sale("TERM0001", "000001")
		later[7] = "0301090130"
		app.sends("0200", later)
		app.hears("0210", "00")
		h.hearsNothing()
	})
}

// Rule: a late answer never answers a reversal and never cancels one, though trace number and
// terminal are the same. It is kept as evidence.
func TestALateApprovalNeverCancelsAReversal(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		s.passes(s.limits.HostTimeout)
		app.hears("0210", "68")
		first := h.hears("0400")
		h.answers(sale, "00") // late
		app.hearsNothing()
		s.owes(1, 0)
		s.passes(s.limits.HostTimeout)
		h.hears("0401")
		h.answers(first, "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "late answer", "reversal sent", "reversed")
	})
}

// Rule: an approval that comes after the reversal was answered may be of a request that overtook
// it: a new reversal is owed.
func TestAnApprovalAfterTheReversalOwesANewOne(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		s.passes(s.limits.HostTimeout)
		app.hears("0210", "68")
		h.answers(h.hears("0400"), "25")
		s.owes(0, 0)
		h.answers(sale, "00")
		app.hearsNothing()
		h.answers(h.hears("0400"), "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed",
			"doubted", "reversal sent", "reversed")
	})
}

// Rule: the same after a restart: the closed payment is remembered.
func TestAnApprovalAfterTheReversalAndARestartOwesANewOne(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		s.passes(s.limits.HostTimeout)
		h.answers(h.hears("0400"), "25")
		s.restarts()
		h = s.lineComesUp()
		h.answers(sale, "00")
		h.answers(h.hears("0400"), "00")
		s.owes(0, 0)
	})
}

// Rule: an answer repeated by the host confirms nothing twice and reverses nothing.
func TestAnApprovalThatComesTwiceIsOne(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		h.answers(sale, "00")
		h.answers(sale, "00")
		app.hears("0210", "00")
		app.hearsNothing()
		s.passes(time.Hour)
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed", "late answer")
	})
}

// Rule: the line is lost in the same instant as the app repeats: one message of each, nothing twice.
func TestRepeatsOverManyBrokenLinesSendNothingTwice(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		app := s.till("TERM0001")
		asked := map[string]int{}
		for range 20 {
			app.asks("000001")
			s.passes(time.Second)
			h := s.lineComesUp()
			app.asks("000001")
			for _, m := range h.all() {
				if m.MTI == "0200" {
					asked[m.Fields[11]]++
				}
			}
			h.cut()
		}
		if asked["000001"] != 1 {
			t.Errorf("the host heard the question %d times", asked["000001"])
		}
		h := s.lineComesUp()
		h.answers(h.hears("0401"), "00")
	}, firstLine(haltest.Faults{DialDelay: time.Second}))
}
