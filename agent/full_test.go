package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"reversald/iso"
)

// Rule: no journal, no sale: when it is full a new payment is refused, nothing of it is sent, and
// whatever is open is still brought to its end. The agent goes on, in this life and in the next, and
// makes room by forgetting what is closed.
func TestAFullJournalRefusesNewPaymentsAndFinishesTheOpenOnes(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app, open := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0002")
		open.asks("000000")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		open.hears("0210", "68")
		reversal := h.hears("0400")
		full := false
		for n := 1; n < 10000 && !full; n++ {
			app.asks(fmt.Sprintf("%06d", n))
			if asked := h.all(); len(asked) > 0 {
				h.answers(asked[0], "51")
				app.hears("0210", "51")
				continue
			}
			app.hears("0210", s.profile.Codes().Busy)
			s.onFile(fmt.Sprintf("%06d", n))
			full = true
		}
		if !full {
			t.Fatal("the journal has room for ever")
		}
		for n := range 50 { // a burst: all are refused, and the next one in order is not confused
			app.asks(fmt.Sprintf("2%05d", n))
			app.hears("0210", s.profile.Codes().Busy)
		}
		nonsense := func() { // a host that talks it must not use up the reserve
			for range 1500 {
				h.answersAll([]iso.Message{iso0200("777777"), iso0200("000001")}, "51")
			}
		}
		nonsense()
		h.answers(reversal, "96")
		s.passes(s.limits.HostTimeout)
		h.hears("0401")
		s.restarts()
		h = s.lineComesUp()
		nonsense()
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
		// What was closed has been forgotten meanwhile: there is room again.
		app.asks("300000")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	}, func(s *shop) { s.options.SizeMax = 2 << 20 })
}

// Rule: an app may take back what is closed even where a new payment finds no room, and where there is
// not enough room for that either it is told so: nobody ends for it, and what has been taken back stays
// taken back.
func TestAFullJournalTakesClosedPaymentsBack(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		last, sale := 0, iso.Message{}
		for n := 1; n < 10000; n++ {
			app.asks(fmt.Sprintf("%06d", n))
			asked := h.all()
			if len(asked) == 0 {
				app.hears("0210", s.profile.Codes().Busy)
				break
			}
			h.answers(asked[0], "00")
			app.hears("0210", "00")
			last, sale = n, asked[0]
		}
		stan := fmt.Sprintf("%06d", last)
		takesBack := func() { h.answers(h.hears("0400"), "00") }
		app.reverses(stan)
		takesBack()
		app.hears("0410", "00")
		approvedAfterAll := func(times int) { // it is owed to the customer, whatever room there is
			for range times {
				h.answers(sale, "00")
				takesBack()
			}
		}
		approvedAfterAll(900)
		refused := fmt.Sprintf("%06d", last-1)
		app.reverses(refused)
		app.hears("0410", s.profile.Codes().Busy)
		h.hearsNothing()
		s.owes(0, 0)
		s.passes(time.Minute) // room is made by forgetting what is closed
		app.reverses(refused)
		takesBack()
		app.hears("0410", "00")
		for range 20 {
			approvedAfterAll(200)
			s.passes(2 * time.Second)
		}
		s.owes(0, 0)
	}, func(s *shop) { s.options.SizeMax = 2 << 20 })
}

// wordy is a dialect whose host wants more in its reversals, and says more in its answers, than an
// entry of the journal can hold.
const wordy = `
name: wordy
about: a host of many words
extends: iso87-ascii
reversal:
  copy: [2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 23, 25, 32, 33, 41, 42, 43, 49, 60, 61, 62, 63]
keep: [12, 13, 15, 32, 60, 61, 62, 63]
`

func wordyShop(s *shop) {
	profile, err := iso.Parse([]byte(wordy), "wordy.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	s.profile = profile
}

// Rule: a payment that the journal can not keep is not sent, and nobody else suffers.
func TestAPaymentTooLongForTheJournalIsNotSent(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		fields := sale("TERM0001", "000001")
		for _, n := range []int{60, 61, 62, 63} {
			fields[n] = strings.Repeat("\x01", 800)
		}
		app.sends("0200", fields)
		app.hears("0210", s.profile.Codes().Refused)
		h.hearsNothing()
		app.asks("000002")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	}, wordyShop)
}

// Rule: an answer too long to be kept is still the answer; what a reversal needs of it is kept.
func TestAnAnswerTooLongForTheJournalIsStillAnAnswer(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		fields := answer(h.hears("0200"), "00")
		for _, n := range []int{60, 61, 62, 63} {
			fields[n] = strings.Repeat("\x01", 800)
		}
		h.says("0210", fields)
		app.hears("0210", "00")
		s.restarts()
		h = s.lineComesUp()
		app.reverses("000001")
		if m := h.hears("0400"); m.Fields[37] != "000000000042" {
			t.Errorf("the host's reference is %q", m.Fields[37])
		}
		s.passes(time.Second)
	}, wordyShop)
}
