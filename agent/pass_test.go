package agent_test

import (
	"bytes"
	"testing"
	"time"

	"reversald/iso"
)

// Rule: what is nobody's payment goes through as it is, both ways: sign-on, echo, settlement, an
// inquiry. Nothing of it is on file.
func TestWhatIsNoPaymentPassesThroughUnchanged(t *testing.T) {
	t.Parallel()
	inquiry := sale("TERM0001", "000007")
	inquiry[3] = "310000"
	cases := []struct {
		name, mti string
		fields    map[int]string
	}{
		{"sign-on", "0800", map[int]string{7: "0301090000", 11: "000001", 41: "TERM0001", 70: "001"}},
		{"settlement", "0500", map[int]string{7: "0301090000", 11: "000002", 41: "TERM0001"}},
		{"inquiry", "0200", inquiry},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				line, app := s.rawLine(), s.till("TERM0001")
				asked := app.sends(c.mti, c.fields)
				got := line.next(t)
				if !bytes.Equal(got, asked) {
					t.Errorf("the host got\n%x, the app sent\n%x", got, asked)
				}
				m, err := s.profile.Decode(got)
				if err != nil {
					t.Fatal(err)
				}
				body, err := s.profile.Compose(s.profile.AnswerMTI(m.MTI), answer(m, "00"))
				if err != nil {
					t.Fatal(err)
				}
				line.host.saysBytes(body)
				if got := app.hearsBytes(); !bytes.Equal(got, body) {
					t.Errorf("the app got\n%x, the host sent\n%x", got, body)
				}
				if n := len(s.lines()); n != 0 {
					t.Errorf("%d entries", n)
				}
			})
		})
	}
}

// Rule: what passes through is answered with "unknown" when the host stays silent or the line is
// lost, and with "not sent" when nothing left.
func TestWhatPassesThroughIsAlwaysAnswered(t *testing.T) {
	t.Parallel()
	echo := map[int]string{7: "0301090000", 11: "000001", 41: "TERM0001", 70: "301"}
	t.Run("silence", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.sends("0800", echo)
			h.hears("0800")
			s.passes(s.limits.HostTimeout)
			app.hears("0810", s.profile.Codes().Unknown)
		})
	})
	t.Run("line lost", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.sends("0800", echo)
			h.hears("0800")
			h.cut()
			app.hears("0810", s.profile.Codes().Unknown)
		})
	})
	t.Run("no line", func(t *testing.T) {
		story(t, func(s *shop) {
			app := s.till("TERM0001")
			app.sends("0800", echo)
			app.hears("0810", s.profile.Codes().NotSent)
		}, unplugged)
	})
}

// Rule: a host that asks is answered.
func TestAHostsEchoIsAnswered(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h := s.lineComesUp()
		h.says("0800", map[int]string{7: "0301090000", 11: "000077", 41: "TERM0001", 70: "301"})
		m := h.hears("0810")
		if m.Fields[39] != "00" || m.Fields[11] != "000077" || m.Fields[70] != "301" {
			t.Errorf("answered with %q to trace %q, function %q", m.Fields[39], m.Fields[11], m.Fields[70])
		}
	})
}

// Rule: an inquiry's answer is the inquiry's, though a closed payment had its trace number: it
// neither reverses that payment again nor stays away from the app.
func TestAnInquiryWithAUsedTraceNumberGetsItsAnswer(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"00", "51"} {
		t.Run("after code "+code, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				h.answers(h.hears("0200"), code)
				app.hears("0210", code)
				inquiry := sale("TERM0001", "000001")
				inquiry[3] = "310000"
				app.sends("0200", inquiry)
				h.answers(h.hears("0200"), "00")
				app.hears("0210", "00")
				s.passes(time.Hour)
				h.hearsNothing()
				s.owes(0, 0)
			})
		})
	}
}

// Rule: an app's own sign-on and echo are answered by us where the profile says so: with its code
// while the line is up and signed on, truthfully with "not sent" while it is down. Nothing of it
// reaches the host, and whatever else looks alike passes.
func TestAnAppsOwnEchoIsAnsweredHere(t *testing.T) {
	echo := map[int]string{7: "0301090000", 11: "000001", 41: "TERM0001", 70: "301"}
	other := map[int]string{7: "0301090000", 11: "000002", 41: "TERM0001", 70: "161"}
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.sends("0800", echo)
		app.hears("0810", "00")
		h.hearsNothing()
		app.sends("0800", other)
		h.answers(h.hears("0800"), "00")
		app.hears("0810", "00")
		s.dialer.pulled.Store(true)
		h.cut()
		app.sends("0800", echo)
		app.hears("0810", s.profile.Codes().NotSent)
	}, func(s *shop) {
		profile, err := iso.Load("testdata/app-echo.yaml")
		if err != nil {
			s.t.Fatal(err)
		}
		s.profile = profile
	})
}
