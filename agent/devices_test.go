package agent_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"reversald/hal/haltest"
)

// networked is a change to a shop: its interfaces are watched.
func networked(n *haltest.Network) func(*shop) {
	return func(s *shop) { s.devices.Network = n }
}

// Rule: a carrier that is gone is a line lost now: what was asked is doubted at once, and not when
// its time is up. Back, the line is tried at once, and not when the wait is over, and what is owed
// goes first.
func TestACarrierLostIsALineLost(t *testing.T) {
	network, ours := &haltest.Network{}, netip.MustParseAddr(cableAddress)
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.dialer.pulled.Store(true)
		network.Loses("carrier lost", ours)
		s.passes(0)
		app.hears("0210", s.profile.Codes().Unknown)
		s.onFile("000001", "asked", "doubted")
		if st := s.status(); st.Link == "up" || st.LinkNote == "" {
			s.t.Errorf("link %s (%s)", st.Link, st.LinkNote)
		}
		s.passes(time.Hour) // the waits are at their longest
		at := time.Now()
		s.dialer.pulled.Store(false)
		network.Regains("carrier back", ours)
		next := s.lineComesUp()
		next.answers(next.hears("0400"), "00")
		if waited := time.Since(at); waited != 0 {
			s.t.Errorf("the reversal left %v after the carrier was back", waited)
		}
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	}, networked(network))
}

// Rule: another address that goes is no concern of the line's.
func TestAnotherAddressIsNotTheLines(t *testing.T) {
	network := &haltest.Network{}
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		network.Loses("address gone", netip.MustParseAddr("10.0.0.3"))
		network.Regains("carrier back", netip.MustParseAddr("10.0.0.4"))
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		if n := s.dialer.Dials(); n != 1 {
			s.t.Errorf("dialled %d times", n)
		}
	}, networked(network))
}

// Rule: a dial whose packets went nowhere is given up when the network is back.
func TestADialIntoNothingIsGivenUp(t *testing.T) {
	network := &haltest.Network{}
	story(t, func(s *shop) {
		at := time.Now()
		s.passes(time.Second) // it hangs
		network.Regains("address here", netip.MustParseAddr(cableAddress))
		s.lineComesUp()
		if waited := time.Since(at); waited != time.Second {
			s.t.Errorf("the line is up after %v", waited)
		}
	}, networked(network), firstLine(haltest.Faults{Hang: true}))
}

// Rule: while the power fails no sale begins, whoever waits is told that nothing was sent, and what
// has begun is finished; when it is back, sales go on.
func TestNoSaleBeginsWhileThePowerFails(t *testing.T) {
	power := &haltest.Power{}
	story(t, func(s *shop) {
		h, app, other := s.lineComesUp(), s.till("TERM0001"), s.till("TERM0002")
		app.asks("000001")
		question := h.hears("0200")
		power.Fails()
		other.asks("000002")
		other.hears("0210", s.profile.Codes().NotSent)
		s.onFile("000002")
		h.answers(question, "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
		if st := s.status(); st.Power != "failing: the lamp is on" {
			s.t.Errorf("power is %q", st.Power)
		}
		power.Returns()
		other.asks("000002")
		h.answers(h.hears("0200"), "00")
		other.hears("0210", "00")
		if st := s.status(); st.Power != "good: the lamp is off" {
			s.t.Errorf("power is %q", st.Power)
		}
	}, func(s *shop) { s.devices.Power = power })
}

// Rule: whoever waits for the line when the power begins to fail is told at once, and what is only
// noted is on the disk at once.
func TestThePowerFailsOverTheWaitingRoom(t *testing.T) {
	power := &haltest.Power{}
	story(t, func(s *shop) {
		app := s.till("TERM0001")
		app.asks("000001")
		power.Fails()
		s.passes(0)
		app.hears("0210", s.profile.Codes().NotSent)
		power.Returns()
		app.asks("000002")
		h := s.plugsIn()
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		if s.journal.Noted() == 0 {
			s.t.Fatal("the confirmation is not only noted")
		}
		power.Fails()
		s.passes(0)
		if n := s.journal.Noted(); n != 0 {
			s.t.Errorf("%d entries are only noted", n)
		}
	}, unplugged, func(s *shop) { s.devices.Power = power })
}

// Rule: a reversal goes out whether the power fails or not.
func TestAReversalGoesOutWhileThePowerFails(t *testing.T) {
	power := &haltest.Power{}
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		power.Fails()
		s.passes(s.limits.HostTimeout)
		app.hears("0210", s.profile.Codes().Unknown)
		h.answers(h.hears("0400"), "00")
		s.owes(0, 0)
	}, func(s *shop) { s.devices.Power = power })
}

// Rule: a watch that can not watch is said, in the log and in the status, and stops nothing.
func TestAWatchThatEndsIsSaid(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		if got := strings.Join(s.status().Unwatched, " "); !strings.Contains(got, "power: no such lamp") {
			s.t.Errorf("unwatched: %q", got)
		}
	}, func(s *shop) { s.devices.Power = &haltest.Power{Fail: errors.New("no such lamp")} })
}

// Rule: deadlines go on while the terminal sleeps, and are looked at when it wakes up.
func TestDeadlinesGoOnInSleep(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.clock.Sleeps(s.limits.HostTimeout)
		s.passes(0)
		app.hears("0210", s.profile.Codes().Unknown)
		h.hears("0400")
		s.onFile("000001", "asked", "doubted", "reversal sent")
	})
}

// Rule: a clock that can not be right is said in the status, and every entry written by it has its
// mark; set right, it is believed again.
func TestAClockThatCanNotBeRight(t *testing.T) {
	built := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for name, wrong := range map[string]time.Time{
		"1970":             time.Unix(0, 0).UTC(),
		"2000":             time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		"before the build": built.Add(-time.Hour),
		"2099":             time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				right := s.clock.Wall()
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.clock.Set(wrong)
				app.asks("000001")
				h.answers(h.hears("0200"), "00")
				app.hears("0210", "00")
				if st := s.status(); st.Clock != "untrusted" || st.Time.Before(built) {
					s.t.Errorf("clock is %s, time %v", st.Clock, st.Time)
				}
				s.clock.Set(right)
				app.asks("000002")
				h.answers(h.hears("0200"), "00")
				app.hears("0210", "00")
				if st := s.status(); st.Clock != "trusted" || !st.Time.Equal(s.clock.Wall()) {
					s.t.Errorf("clock is %s, time %v", st.Clock, st.Time)
				}
				wantMarks(s, "000001", "untrusted")
				wantMarks(s, "000002", "")
			}, func(s *shop) { s.built = built })
		})
	}
}

func wantMarks(s *shop, stan, want string) {
	s.t.Helper()
	for _, l := range s.story(stan) {
		if l.Clock != want {
			s.t.Errorf("entry %d (%s) is marked %q, want %q", l.Seq, l.Kind, l.Clock, want)
		}
	}
}

// Rule: after a restart with a flat battery the newest entry on file is the least the time can be,
// and goes on from there; a clock that a time daemon vouches for is believed all the same.
func TestTheNewestEntryIsTheLeastTime(t *testing.T) {
	story(t, func(s *shop) {
		sold := s.clock.Wall()
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.settles()
		s.killed()
		s.clock.Reboot()
		s.clock.Set(sold.AddDate(0, -1, 0))
		s.opens()
		s.passes(time.Hour)
		st := s.status()
		if st.Clock != "untrusted" || st.Time.Before(sold.Add(time.Hour)) {
			s.t.Errorf("clock is %s, time %v, sold at %v", st.Clock, st.Time, sold)
		}
		s.clock.InStep(true)
		if st := s.status(); st.Clock != "trusted" || st.Time.After(sold) {
			s.t.Errorf("clock is %s, time %v", st.Clock, st.Time)
		}
	})
}

// Rule: nothing that was ordered to be tried now waits for its time.
func TestRetryNow(t *testing.T) {
	story(t, func(s *shop) {
		s.passes(time.Minute)
		at := time.Now()
		s.dialer.pulled.Store(false)
		if err := s.agent.RetryNow(context.Background()); err != nil {
			s.t.Fatal(err)
		}
		s.lineComesUp()
		if waited := time.Since(at); waited != 0 {
			s.t.Errorf("dialled after %v", waited)
		}
	}, unplugged)
}
