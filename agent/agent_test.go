package agent_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reversald/agent"
	"reversald/hal/haltest"
	"reversald/iso"
	"reversald/store"
)

// Rule (asked): the request is on disk, in both places, before its first byte leaves.
func TestARequestIsOnDiskBeforeItsFirstByteLeaves(t *testing.T) {
	var seen bool
	story(t, func(s *shop) {
		t := s.t
		s.atHost = func(m iso.Message) {
			if m.MTI != "0200" {
				return
			}
			seen = true
			if got := kinds(storyIn(s.linesNow(), m.Fields[11])); !slices.Equal(got, []string{"asked"}) {
				t.Errorf("when the request arrives the journal holds %q", got)
			}
			ring, err := store.ReadRing(filepath.Join(s.dir, "journal.db.ring"))
			if err != nil || len(ring.Entries) != 1 {
				t.Errorf("when the request arrives the ring holds %d entries, %v", len(ring.Entries), err)
			}
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
	if !seen {
		t.Error("no request arrived")
	}
}

// Rule (approved): the approval is on disk before the app is told.
func TestAnApprovalIsOnDiskBeforeTheAppIsTold(t *testing.T) {
	told := 0
	story(t, func(s *shop) {
		t := s.t
		s.atTill = func(m iso.Message) {
			told++
			want := []string{"asked", "approved"}
			if got := kinds(storyIn(s.linesNow(), m.Fields[11])); !slices.Equal(got, want) {
				t.Errorf("when the app is told the journal holds %q, want %q", got, want)
			}
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
	if told != 1 {
		t.Errorf("the app was told %d times", told)
	}
}

// Rule (declined): the refusal is on disk before the app is told.
func TestADeclineIsOnDiskBeforeTheAppIsTold(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		s.atTill = func(m iso.Message) {
			want := []string{"asked", "declined"}
			if got := kinds(storyIn(s.linesNow(), m.Fields[11])); !slices.Equal(got, want) {
				t.Errorf("when the app is told the journal holds %q, want %q", got, want)
			}
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "51")
		app.hears("0210", "51")
		s.passes(time.Hour)
		h.hearsNothing()
		s.onFile("000001", "asked", "declined")
		s.owes(0, 0)
	})
}

// Rule (confirmed): with an app that has no confirm, the answer delivered in full is the confirm.
func TestAnAnswerDeliveredInFullConfirmsTheSale(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
		s.passes(48 * time.Hour)
		h.hearsNothing()
		s.owes(0, 0)
	})
}

// Rule: the delivery of an answer survives KILL, though nobody waited for a sync.
func TestADeliverySurvivesAKillRightAfterIt(t *testing.T) {
	story(t, func(s *shop) {
		s.limits.Linger = time.Second
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.restarts() // in the same instant: nothing has been committed since the approval
		s.onFile("000001", "asked", "approved", "confirmed")
		s.lineComesUp().hearsNothing()
		s.owes(0, 0)
	})
}

// Rule: the app's bytes go to the host as they are, and the host's to the app.
func TestBytesAreForwardedAsTheyAre(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		line, app := s.rawLine(), s.till("TERM0001")
		asked := app.asks("000001")
		if got := line.next(t); !bytes.Equal(got, asked) {
			t.Errorf("the host got\n%x, the app sent\n%x", got, asked)
		}
		fields := answer(iso.Message{Fields: sale("TERM0001", "000001")}, "00")
		fields[63] = "anything the host likes to add"
		body, err := s.profile.Compose("0210", fields)
		if err != nil {
			t.Fatal(err)
		}
		line.host.saysBytes(body)
		if got := app.hearsBytes(); !bytes.Equal(got, body) {
			t.Errorf("the app got\n%x, the host sent\n%x", got, body)
		}
	})
}

// Rule: what left and was not answered is unknown to the app, and reversed: 0400, then 0401 after
// one host timeout.
func TestSilenceIsUnknownAndReversed(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.passes(s.limits.HostTimeout - time.Millisecond)
		app.hearsNothing()
		h.hearsNothing()
		s.passes(time.Millisecond)
		app.hears("0210", "68")
		first := h.hears("0400")
		if first.Fields[11] != "000001" || first.Fields[39] != "68" || first.Fields[2] != "4111111111111111" {
			t.Errorf("the reversal is not of the sale: trace %s, reason %s", first.Fields[11], first.Fields[39])
		}
		for _, n := range []int{35, 45, 48, 52} {
			if first.Fields[n] != "" {
				t.Errorf("field %d is in the reversal", n)
			}
		}
		s.passes(s.limits.HostTimeout - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		h.answers(h.hears("0401"), "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
		s.passes(24 * time.Hour)
		h.hearsNothing()
		app.hearsNothing()
	})
}

// Rule: the attempt is on disk before its first byte leaves, so that it is counted whatever happens.
func TestAReversalIsOnDiskBeforeItsFirstByteLeaves(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		reversals := 0
		s.atHost = func(m iso.Message) {
			if m.MTI != "0400" && m.MTI != "0401" {
				return
			}
			reversals++
			sent := 0
			for _, l := range storyIn(s.linesNow(), m.Fields[11]) {
				if l.Kind == "reversal sent" {
					sent = l.Attempt
				}
			}
			if sent != reversals {
				t.Errorf("attempt %d arrives, %d are on file", reversals, sent)
			}
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		s.passes(3 * time.Hour)
		h.all()
		if reversals < 5 {
			t.Errorf("%d reversals in three hours", reversals)
		}
	})
}

// Rule: three sends one host timeout apart, then waits of 1 to 30 minutes, for ever; never dropped
// for its age, and flagged once it is overdue.
func TestAReversalNeverEnds(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		var at []time.Time
		s.atHost = func(m iso.Message) {
			want := "0401"
			switch len(at) {
			case 0:
				want = "0200"
			case 1:
				want = "0400"
			}
			if m.MTI != want {
				t.Errorf("message %d is %s, want %s", len(at), m.MTI, want)
			}
			at = append(at, time.Now())
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		const days = 5
		s.passes(days * 24 * time.Hour)
		timeout := s.limits.HostTimeout
		for n := 1; n < len(at); n++ {
			gap, attempt := at[n].Sub(at[n-1]), n-1
			low, high := timeout, timeout // until the attempt before has had its time
			if attempt >= s.limits.Schedule.Quick {
				low += time.Duration(float64(s.limits.Schedule.WaitMin) * (1 - s.limits.Schedule.Jitter))
				high += s.limits.Schedule.WaitMax
			}
			if gap < low || gap > high {
				t.Errorf("message %d follows after %s, want %s to %s", n, gap, low, high)
			}
		}
		if most := days * 48; len(at) < most*8/10 || len(at) > most*13/10 {
			t.Errorf("%d messages in %d days", len(at), days)
		}
		open, err := s.agent.Open(t.Context())
		if err != nil || len(open) != 1 || !open[0].Overdue {
			t.Errorf("open: %+v, %v, want one that is overdue", open, err)
		}
		if st := s.status(); st.Overdue != 1 || st.Owed != 1 {
			t.Errorf("overdue %d, owed %d", st.Overdue, st.Owed)
		}
		h.all()
		s.passes(35 * time.Minute)
		h.answers(h.hears("0401"), "00") // the host is back after five days
		s.owes(0, 0)
	})
}

// Rule: a line that breaks leaves doubt, and what is owed goes out first thing on the next line,
// before a payment that is already waiting.
func TestACutLineIsReversedFirstThingOnTheNext(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.dialer.Add(haltest.Refusals(3)...)
		h.cut()
		app.hears("0210", "68")
		app.asks("000002") // waits for the line, and for the reversal
		next := s.lineComesUp()
		next.answers(next.hears("0400"), "00")
		next.answers(next.hears("0200"), "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
		s.onFile("000002", "asked", "approved", "confirmed")
	})
}

// Rule: a reversal that was in flight when the line broke goes out again on the next, as a repeat.
func TestAReversalInFlightIsRepeatedOnTheNextLine(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		s.passes(s.limits.HostTimeout)
		h.hears("0200")
		h.hears("0400")
		h.cut()
		next := s.lineComesUp()
		next.answers(next.hears("0401"), "25")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
	})
}

// Rule: provably zero bytes left: the app hears that nothing was sent, and may use the same trace
// number again.
func TestWhatNeverLeftMayBeTriedAgain(t *testing.T) {
	story(t, func(s *shop) {
		broken, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		app.hears("0210", "91")
		broken.hearsNothing()
		s.onFile("000001", "asked", "unsent")
		h := s.lineComesUp()
		h.hearsNothing() // nothing to reverse
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.onFile("000001", "asked", "approved", "confirmed")
		s.owes(0, 0)
	}, firstLine(haltest.Faults{CutToHost: haltest.After(0)}))
}

// Rule: half a frame may be a whole one to a host: it is doubted, and reversed.
func TestHalfAFrameIsDoubt(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{1, 2, 40} {
		t.Run("", func(t *testing.T) {
			story(t, func(s *shop) {
				broken, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				app.hears("0210", "68")
				broken.hearsNothing()
				h := s.lineComesUp()
				h.answers(h.hears("0400"), "25")
				s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
			}, firstLine(haltest.Faults{CutToHost: haltest.After(bytes)}))
		})
	}
}

// Rule: the write that the system took and the line lost is doubt as well.
func TestACutThatTheWriterDoesNotSeeIsDoubt(t *testing.T) {
	story(t, func(s *shop) {
		s.lineComesUp()
		app := s.till("TERM0001")
		app.asks("000001")
		app.hears("0210", "68")
		h := s.lineComesUp()
		h.answers(h.hears("0400"), "25")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	}, firstLine(haltest.Faults{CutToHost: haltest.After(0), CutUnseen: true}))
}

// Rule: an app that is gone before its approval never had it: the sale is reversed. Of a decline
// nothing is left to do.
func TestAnAppThatIsGoneBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	t.Run("approved", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			sale := h.hears("0200")
			app.leaves()
			h.hearsNothing() // the host may still decline it
			h.answers(sale, "00")
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("declined", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			sale := h.hears("0200")
			app.leaves()
			h.answers(sale, "51")
			s.passes(time.Hour)
			h.hearsNothing()
			s.onFile("000001", "asked", "declined")
		})
	})
	t.Run("while it takes the answer", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			app.takes(agent.TellWaits)
			h.answers(h.hears("0200"), "00")
			h.hearsNothing()
			app.leaves()
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("and the answer is cut off", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			app.takes(agent.TellWaits)
			h.answers(h.hears("0200"), "00")
			s.agent.Told(app.tickets[0], false)
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
}

// Rule: an answer that the app takes later confirms the sale when it has all of it.
func TestAnAnswerTakenLateConfirmsTheSale(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		app.takes(agent.TellWaits)
		h.answers(h.hears("0200"), "00")
		s.passes(time.Second)
		s.onFile("000001", "asked", "approved")
		s.agent.Told(app.tickets[0], true)
		s.onFile("000001", "asked", "approved", "confirmed")
		s.passes(time.Hour)
		h.hearsNothing()
	})
}

// Rule: an answer that says neither yes nor no is reversed; "wait" is waited for.
func TestAnAnswerThatDecidesNothing(t *testing.T) {
	t.Parallel()
	t.Run("ambiguous", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.answers(h.hears("0200"), "68")
			app.hears("0210", "68")
			h.answers(h.hears("0400"), "00")
			s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("provisional", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			sale := h.hears("0200")
			h.answers(sale, "09")
			app.hearsNothing()
			h.answers(sale, "00")
			app.hears("0210", "00")
			s.onFile("000001", "asked", "approved", "confirmed")
		})
	})
}
