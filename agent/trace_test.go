package agent_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// countedTo is a change to a shop: its journal holds an attempt with a trace number of its own, and
// so many other entries after it.
func countedTo(stan string, since int) func(*shop) {
	return func(s *shop) {
		o := s.options
		o.Path = filepath.Join(s.dir, "journal.db")
		o.Boot = s.clock.BootID()
		o.AnyFilesystem = true
		journal, err := store.Open(o)
		if err != nil {
			s.t.Fatal(err)
		}
		drafts := []store.Draft{{
			Kind: uint8(payment.RecordReversalSent), Mark: store.MarkKeep,
			Payload: []byte(`{"attempt":1,"stan":"` + stan + `"}`),
		}}
		for range since {
			drafts = append(drafts, store.Draft{
				Kind: uint8(payment.RecordStray), Mark: store.MarkKeep, Payload: []byte(`{}`),
			})
		}
		for len(drafts) > 0 {
			n := min(len(drafts), 200)
			if _, err := journal.Append(drafts[:n]...); err != nil {
				s.t.Fatal(err)
			}
			drafts = drafts[n:]
		}
		if err := journal.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// written checks, whenever a reversal arrives, that its trace number was on file before it left.
func written(s *shop) {
	s.atHost = func(m iso.Message) {
		if m.MTI != s.tongue.first && m.MTI != s.tongue.repeat {
			return
		}
		lines := s.linesNow()
		for _, l := range slices.Backward(lines) {
			if l.Kind != "reversal sent" {
				continue
			}
			if l.STAN != m.Fields[11] {
				s.t.Errorf("trace number %s has left and %q is on file", m.Fields[11], l.STAN)
			}
			return
		}
		s.t.Error("nothing is on file of a reversal that has left")
	}
}

// Rule: where the host wants new trace numbers, every attempt has one, on file before it leaves,
// and the answer is matched by it. It goes on after a restart where it was.
func TestEveryAttemptHasATraceNumberOfItsOwn(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000123"))
		seen := map[string]bool{"000123": true}
		s.passes(s.limits.HostTimeout)
		newNumber := func(m iso.Message) iso.Message {
			s.t.Helper()
			if stan := m.Fields[11]; seen[stan] || stan == "000000" || stan == "" {
				s.t.Errorf("trace number %q again", stan)
			}
			seen[m.Fields[11]] = true
			if m.Fields[56] == "" {
				s.t.Error("nothing links the reversal to its original")
			}
			return m
		}
		newNumber(h.reversal(1))
		s.passes(s.limits.HostTimeout)
		newNumber(h.reversal(2))
		for range 3 {
			s.restarts()
			h = s.lineComesUp()
			newNumber(h.reversal(3))
		}
		s.passes(s.limits.HostTimeout)
		h.hearsNothing() // it is the sixth attempt: the waits have grown
		s.passes(time.Hour)
		all := h.all()
		h.answers(newNumber(all[len(all)-1]), "400")
		s.owes(0, 0)
	}, speaking("iso93"), written)
}

// Rule: the counter wraps from 999999 to 1, while a reversal is pending too, and leaves out every
// number that is open.
func TestTheCounterWrapsAroundWhatIsOpen(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		for n, stan := range []string{"000001", "000002", "999998"} {
			h.askedFor(s.till("TERM000" + string(rune('1'+n))).asks(stan))
		}
		s.passes(s.limits.HostTimeout)
		got := func(n int) (stans []string) {
			for range 3 {
				stans = append(stans, h.reversal(n).Fields[11])
			}
			return stans
		}
		if all := fmt.Sprint(got(1)); all != "[999999 000003 000004]" {
			s.t.Errorf("the reversals have %s", all)
		}
		s.passes(s.limits.HostTimeout)
		// 000005 is that of the echo that has gone out meanwhile.
		if all := fmt.Sprint(got(2)); all != "[000006 000007 000008]" {
			s.t.Errorf("the repeats have %s", all)
		}
	}, speaking("iso93"), countedTo("999997", 0))
}

// Rule: the number of a reversal that still waits for its answer is open too.
func TestTheCounterLeavesOutANumberOfItsOwnThatIsOpen(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		h.askedFor(s.till("TERM0001").asks("000123"))
		s.passes(s.limits.HostTimeout)
		if stan := h.reversal(1).Fields[11]; stan != "000001" {
			s.t.Errorf("the first attempt has %s", stan)
		}
		s.closes()
		countedTo("999999", 0)(s)
		s.opens()
		h = s.lineComesUp()
		// 000002 is that of the sign-on.
		if stan := h.reversal(2).Fields[11]; stan != "000003" {
			s.t.Errorf("the second attempt has %s", stan)
		}
	}, speaking("iso93"))
}

// Rule: the counter goes on where it was, though the newest number lies thousands of entries back.
func TestTheCounterIsFoundThousandsOfEntriesBack(t *testing.T) {
	for _, since := range []int{0, 1, 1022, 1023, 1024, 1025, 5000} {
		t.Run(fmt.Sprint(since), func(t *testing.T) {
			story(t, func(s *shop) {
				h := s.lineComesUp()
				h.askedFor(s.till("TERM0001").asks("000001"))
				s.passes(s.limits.HostTimeout)
				if stan := h.reversal(1).Fields[11]; stan != "004711" {
					s.t.Errorf("the counter goes on with %s", stan)
				}
			}, speaking("iso93"), countedTo("004710", since))
		})
	}
}

// Rule: it is the newest number that counts, not that of the newest payment.
func TestTheCounterGoesOnFromTheNewestNumber(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		h.askedFor(s.till("TERM0001").asks("000001"))
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(1), "400") // 000101
		s.closes()
		countedTo("000500", 10)(s)
		s.opens()
		h = s.lineComesUp()
		h.askedFor(s.till("TERM0001").asks("000002"))
		s.passes(s.limits.HostTimeout)
		// 000501 is that of the sign-on.
		if stan := h.reversal(1).Fields[11]; stan != "000502" {
			s.t.Errorf("the counter goes on with %s", stan)
		}
	}, speaking("iso93"), countedTo("000100", 0))
}

// Rule: a damaged entry on the way to the newest number stops no start.
func TestADamagedEntryDoesNotStopTheCounter(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for _, stan := range []string{"000811", "000812", "000813"} {
			h.answers(h.askedFor(app.asks(stan)), "000")
		}
		s.settles()
		s.killed()
		s.damages("000812")
		s.opens()
		h = s.lineComesUp()
		h.askedFor(s.till("TERM0002").asks("000001"))
		s.passes(s.limits.HostTimeout)
		// 004711 is that of the sign-on.
		if stan := h.reversal(1).Fields[11]; stan != "004712" {
			s.t.Errorf("the counter goes on with %s", stan)
		}
	}, speaking("iso93"), countedTo("004710", 0))
}

// Rule: a host may want one number for all attempts, another than the original's.
func TestAllAttemptsHaveOneTraceNumber(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		for range 2 {
			if stan := h.all()[0].Fields[11]; stan != "000002" {
				s.t.Errorf("an attempt has %s", stan)
			}
			s.passes(s.limits.HostTimeout)
		}
		s.restarts()
		h = s.lineComesUp()
		m := h.reversal(2)
		if stan := m.Fields[11]; stan != "000002" {
			s.t.Errorf("the attempt after the restart has %s", stan)
		}
		h.answers(m, "00")
		s.owes(0, 0)
	}, speakingAs("iso87-ascii", "one-trace.yaml"), written)
}
