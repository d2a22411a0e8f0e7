package agent_test

import (
	"strings"
	"testing"
	"time"
)

// Rule: an answer that belongs to nothing is evidence: it is kept, with the nearest question and
// the field that differed, and answers nobody.
func TestAnAnswerThatFitsNothingIsKept(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]struct {
		field int
		value string
		why   string
	}{
		"trace number": {11, "000099", "field 11 (trace number) differs"},
		"terminal":     {41, "TERM0009", "field 41 (terminal) differs"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				sale := h.hears("0200")
				fields := answer(sale, "00")
				fields[wrong.field] = wrong.value
				h.says("0210", fields)
				app.hearsNothing()
				h.answers(sale, "51") // the true one, after its shadow
				app.hears("0210", "51")
				strays := s.strays()
				if len(strays) != 1 || !strings.Contains(strays[0].Why, wrong.why) ||
					!strings.Contains(strays[0].Why, "TERM0001/000001") || strays[0].Code != "00" {
					t.Errorf("strays: %+v, want %q", strays, wrong.why)
				}
				s.onFile("000001", "asked", "declined")
			})
		})
	}
}

// Rule: an answer to a reversal settles no payment that has none under way.
func TestAReversalsAnswerNeverAnswersAPayment(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		h.says("0410", answer(sale, "00"))
		app.hearsNothing()
		h.answers(sale, "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
		if strays := s.strays(); len(strays) != 1 || !strings.Contains(strays[0].Why, "message type") {
			t.Errorf("strays: %+v", strays)
		}
	})
}

// Rule: trace numbers are counted by each terminal for itself: an answer to a reversal of another
// terminal settles nothing, though the trace number is the same.
func TestAReversalsAnswerOfAnotherTerminalSettlesNothing(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubts(h, app, "000001")
		fields := answer(iso0400("000001"), "00")
		fields[41] = "TERM0002"
		h.says("0410", fields)
		s.owes(1, 0)
		s.onFile("000001", "asked", "doubted", "reversal sent")
		if n := len(s.strays()); n != 1 {
			s.t.Errorf("%d strays", n)
		}
	})
}

// Rule: garbage from the host is evidence too, without a byte of it shown; the line goes on.
func TestGarbageFromTheHostIsAStray(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		for _, garbage := range []string{
			"x", "0210", "4111111111111111=29122010000012345678", strings.Repeat("\xff", 300),
			"0210723A", "9999ZZZZZZZZZZZZZZZZ",
		} {
			h.saysBytes([]byte(garbage))
		}
		h.answers(sale, "00")
		app.hears("0210", "00")
		if n := len(s.strays()); n != 7 { // the bytes of the longest take two entries
			t.Errorf("%d strays, want 7", n)
		}
		if st := s.status(); st.Counts.Strays != 6 {
			t.Errorf("status counts %d", st.Counts.Strays)
		}
	})
}

// Rule: what an app sends and nobody can read is not sent, and its connection is closed.
func TestGarbageFromAnAppIsNotSent(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.sendsBytes([]byte("GET / HTTP/1.1\r\n\r\n"))
		app.hearsNothing()
		app.isHungUpOn()
		h.hearsNothing()
	})
}

// Rule: a payment that could not be reversed is not sent.
func TestAPaymentThatCouldNotBeReversedIsNotSent(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		fields := sale("TERM0001", "000001")
		delete(fields, 11)
		body, err := s.profile.Compose("0200", fields)
		if err != nil {
			t.Fatal(err)
		}
		app.sendsBytes(body)
		h.hearsNothing()
		s.passes(time.Minute)
		if n := len(s.lines()); n != 0 {
			t.Errorf("%d entries", n)
		}
		app.mu.Lock()
		defer app.mu.Unlock()
		if len(app.heard) == 0 && len(app.hung) == 0 {
			t.Error("the app was left without an answer")
		}
	})
}
