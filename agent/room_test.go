package agent_test

import (
	"fmt"
	"testing"
	"time"
)

// doubts leaves a payment that is being reversed behind, with a host that stays silent.
func (s *shop) doubts(h *host, app *till, stan string) {
	s.t.Helper()
	app.asks(stan)
	h.hears("0200")
	s.passes(s.limits.HostTimeout)
	app.hears("0210", "68")
	h.hears("0400")
}

// unplugged is a shop whose host is not reached until it plugs in.
func unplugged(s *shop) { s.dialer.pulled.Store(true) }

// plugsIn lets the host be reached.
func (s *shop) plugsIn() *host {
	s.t.Helper()
	s.dialer.pulled.Store(false)
	return s.lineComesUp()
}

// Rule: a new payment of a terminal that owes a reversal waits for entry_wait and is then refused
// with a clear code; another terminal's goes through meanwhile.
func TestAPaymentWaitsForTheReversalOfItsTerminal(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0002")
		s.doubts(h, app, "000001")
		app.asks("000002")
		h.hearsNothing()
		other.asks("000003")
		h.answers(h.hears("0200"), "00")
		other.hears("0210", "00")
		s.passes(s.limits.EntryWait - time.Millisecond)
		app.hearsNothing()
		s.passes(time.Millisecond)
		app.hears("0210", s.profile.Codes().Owed)
		h.hearsNothing()
		s.onFile("000002") // nothing left, so nothing is on file
		if st := s.status(); st.Counts.TurnedAway != 1 {
			t.Errorf("turned away %d", st.Counts.TurnedAway)
		}
	})
}

// Rule: other terminals, of other apps or of the same, sell while one owes a reversal.
func TestAnOwedReversalHoldsUpItsTerminalOnly(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		s.sells(h, s.till("TERM0002"), "000002", nil)
		app.sends("0200", saleWith("TERM0003", "000003", nil))
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
}

// Rule: the payment that waits goes the moment the reversal is answered.
func TestAPaymentGoesWhenTheReversalIsDone(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.limits.HostTimeout = 5 * time.Second
		app.asks("000001")
		h.hears("0200")
		s.passes(30 * time.Second)
		app.hears("0210", "68")
		reversal := h.hears("0400")
		app.asks("000002")
		h.hearsNothing()
		h.answers(reversal, "00")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
}

// Rule: no line for as long as entry_wait: not sent, and said so.
func TestAPaymentWithoutALineIsNotSent(t *testing.T) {
	story(t, func(s *shop) {
		app := s.till("TERM0001")
		app.asks("000001")
		s.passes(s.limits.EntryWait)
		app.hears("0210", s.profile.Codes().NotSent)
		s.onFile("000001")
	}, unplugged)
}

// Rule: settlement waits while its terminal owes a reversal, and is refused like a payment.
func TestSettlementWaitsWhileReversalsAreOwed(t *testing.T) {
	t.Parallel()
	settle := map[int]string{7: "0301090000", 11: "000009", 41: "TERM0001"}
	t.Run("refused", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			s.doubts(h, app, "000001")
			app.sends("0500", settle)
			s.passes(s.limits.EntryWait)
			app.hears("0510", s.profile.Codes().Owed)
			h.hearsNothing()
		})
	})
	t.Run("let go", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.hears("0200")
			s.passes(s.limits.HostTimeout)
			app.hears("0210", "68")
			reversal := h.hears("0400")
			app.sends("0500", settle)
			h.hearsNothing()
			h.answers(reversal, "25")
			h.answers(h.hears("0500"), "00")
			app.hears("0510", "00")
		})
	})
}

// Rule: reversals of one terminal go out oldest first, one in flight.
func TestReversalsOfATerminalGoOldestFirstOneInFlight(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0002")
		for _, stan := range []string{"000001", "000002", "000003"} {
			app.asks(stan)
		}
		other.asks("000004")
		h.all()
		h.cut()
		h = s.lineComesUp()
		first, fourth := h.hears("0400"), h.hears("0400")
		h.hearsNothing()
		if first.Fields[11] != "000001" || fourth.Fields[11] != "000004" {
			t.Errorf("first to go: %s and %s", first.Fields[11], fourth.Fields[11])
		}
		h.answers(first, "00")
		second := h.hears("0400")
		h.hearsNothing()
		h.answers(second, "00")
		third := h.hears("0400")
		if second.Fields[11] != "000002" || third.Fields[11] != "000003" {
			t.Errorf("then: %s and %s", second.Fields[11], third.Fields[11])
		}
		h.answers(third, "00")
		h.answers(fourth, "00")
		s.owes(0, 0)
	})
}

// Rule: an app that repeats a question which still waits asks one question: it is sent once.
func TestAQuestionRepeatedWhileItWaitsIsSentOnce(t *testing.T) {
	story(t, func(s *shop) {
		app, again := s.till("TERM0001"), s.till("TERM0001")
		app.asks("000001")
		app.asks("000001")
		again.asks("000001")
		h := s.plugsIn()
		sale := h.hears("0200")
		h.hearsNothing()
		h.answers(sale, "00")
		again.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
		s.passes(time.Hour)
		h.hearsNothing()
	}, unplugged)
}

// Rule: of two different payments with one trace number that wait, one goes and one is refused.
func TestTwoPaymentsThatWaitWithOneTraceNumber(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		app, other := s.till("TERM0001"), s.till("TERM0001")
		app.asks("000001")
		dearer := sale("TERM0001", "000001")
		dearer[4] = "000000009900"
		other.sends("0200", dearer)
		h := s.plugsIn()
		asked := h.hears("0200")
		h.hearsNothing()
		if asked.Fields[4] != "000000001234" {
			t.Errorf("amount %s went", asked.Fields[4])
		}
		other.hears("0210", s.profile.Codes().Refused)
		h.answers(asked, "00")
		app.hears("0210", "00")
	}, unplugged)
}

// Rule: a payment that its app takes back while it still waits is not sent afterwards.
func TestAPaymentTakenBackWhileItWaitsIsNotSent(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		app.asks("000002")
		app.reverses("000002")
		app.hears("0210", s.profile.Codes().NotSent)
		own := h.hears("0400") // nothing of ours: the host may say so
		h.answers(own, "25")
		app.hears("0410", "25")
		s.passes(s.limits.HostTimeout)
		h.answers(h.hears("0401"), "00")
		h.hearsNothing()
		s.onFile("000002")
	})
}

// Rule: whoever waits leaves the room with the app, and nothing was sent.
func TestAnAppThatLeavesTakesItsWaitingPaymentsAlong(t *testing.T) {
	story(t, func(s *shop) {
		app := s.till("TERM0001")
		app.asks("000001")
		app.leaves()
		h := s.plugsIn()
		h.hearsNothing()
		s.onFile("000001")
	}, unplugged)
}

// Rule: the waiting room has a limit, and beyond it the app hears that we are busy. Everybody in
// it is served when the line is there.
func TestTheWaitingRoomIsBounded(t *testing.T) {
	const room, more = 64, 36
	story(t, func(s *shop) {
		t := s.t
		var apps []*till
		for n := range room + more {
			app := s.till(fmt.Sprintf("TERM%04d", n))
			app.asks(fmt.Sprintf("%06d", n))
			apps = append(apps, app)
		}
		for _, app := range apps[room:] {
			app.hears("0210", s.profile.Codes().Busy)
		}
		if st := s.status(); st.Waiting != room {
			t.Errorf("%d wait", st.Waiting)
		}
		h := s.plugsIn()
		asked := h.all()
		if len(asked) != room {
			t.Fatalf("%d went out", len(asked))
		}
		for n, m := range asked {
			h.answers(m, "00")
			apps[n].hears("0210", "00")
		}
	}, unplugged)
}

// Rule: a reversal that can not leave, because the line takes no bytes, waits; the agent goes on
// meanwhile, and the journal does not fill up with attempts.
func TestAReversalThatCanNotLeaveWaits(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.dialer.dead.Store(true)
		s.passes(s.limits.HostTimeout)
		app.hears("0210", "68")
		s.passes(15 * time.Second) // until the system gives a dead line up
		h.hearsNothing()
		if n := len(s.lines()); n > 40 {
			t.Errorf("%d entries after 15 seconds", n)
		}
		s.dialer.dead.Store(false)
		h.cut()
		h = s.lineComesUp()
		h.answers(h.hears("0400"), "00") // still the first to leave
		s.owes(0, 0)
	})
}
