package agent_test

import (
	"context"
	"strings"
	"testing"

	"reversald/agent/slip"
)

// printer keeps what a shop prints.
type printer struct{ slips []slip.Slip }

func printing(s *shop) {
	s.paper = &printer{}
	s.limits.Contact = "400-123-4567"
}

// prints takes the oldest slip, which must be of this event and payment.
func (s *shop) prints(e slip.Event, stan string) {
	s.t.Helper()
	s.settles()
	if len(s.paper.slips) == 0 {
		s.t.Fatalf("nothing is printed, want event %d of %s", e, stan)
	}
	got := s.paper.slips[0]
	s.paper.slips = s.paper.slips[1:]
	s.emits(got.Text(slip.Both, 32)) // which is searched for card data at the end
	switch {
	case got.Event != e || got.STAN != stan:
		s.t.Errorf("a slip of event %d for %s, want %d for %s", got.Event, got.STAN, e, stan)
	case got.Card != "411111******1111" || got.Amount != 1234 || got.Contact == "":
		s.t.Errorf("%+v", got)
	}
}

func (s *shop) printsNothing() {
	s.t.Helper()
	s.settles()
	for _, got := range s.paper.slips {
		s.t.Errorf("a slip of event %d for %s is printed", got.Event, got.STAN)
	}
	s.paper.slips = nil
}

// Rule: the cardholder of a sale that failed gets a slip, and another when it is undone; who was
// told yes or no gets none from us.
func TestASlipWhenASaleFailedAndWhenItIsUndone(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.sells(h, app, "000001", nil)
		app.asks("000002")
		h.answers(h.hears("0200"), "51")
		app.hears("0210", "51")
		s.printsNothing()
		s.doubts(h, app, "000003")
		s.prints(slip.Failed, "000003")
		s.passes(s.limits.HostTimeout)
		s.printsNothing() // not one for every attempt
		h.answers(h.hears("0401"), "00")
		s.prints(slip.Reversed, "000003")
		s.printsNothing()
	}, printing)
}

// Rule: a sale that a power cut has caught has its slip at the next start, once.
func TestASlipAfterAPowerCut(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.restarts()
		s.lineComesUp().hears("0400")
		s.prints(slip.Failed, "000001")
		s.restarts()
		h = s.lineComesUp()
		again := h.hears("0401")
		s.printsNothing()
		h.answers(again, "58")
		s.prints(slip.Stuck, "000001")
	}, printing)
}

// Rule: a sale that its app takes back is the app's own to print.
func TestNoSlipForWhatTheAppTakesBack(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.sells(h, app, "000001", nil)
		app.reverses("000001")
		h.answers(h.hears("0400"), "00")
		app.hears("0410", "00")
		s.printsNothing()
	}, printing)
}

// The slip of a payment as it stands is the one that was printed.
func TestTheSlipOfAPayment(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		p, ok, err := s.agent.Look(context.Background(), s.id("000001"))
		if err != nil || !ok {
			t.Fatal(err)
		}
		got, ok := p.Slip("")
		if !ok || got.Event != slip.Failed || !strings.Contains(got.Text(slip.English, 32), "12.34 USD") {
			t.Errorf("%v %s", ok, got.Text(slip.English, 32))
		}
	})
}
