package agent_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"reversald/agent/payment"
	"reversald/store"
)

// Rule: an answer that says "wait" is none: the till waits longer, and an approval that comes then
// is in time.
func TestAProvisionalAnswerWaitsLonger(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		more := s.profile.Schedule().Provisional
		if more <= 0 {
			s.t.Fatal("the profile has no time for a provisional answer")
		}
		m := h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout - time.Second)
		h.answers(m, s.tongue.wait)
		s.passes(more - time.Millisecond)
		app.hearsNothing()
		h.answers(m, s.tongue.yes)
		app.hears(s.tongue.answered, s.tongue.yes)
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}

// Rule: after "wait" and nothing more the sale is doubted like any other.
func TestAProvisionalAnswerIsDoubtedInTheEnd(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		m := h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout - time.Second)
		h.answers(m, s.tongue.wait)
		s.passes(s.profile.Schedule().Provisional - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		app.hears(s.tongue.answered, s.tongue.unknown)
		h.answers(h.reversal(1), s.tongue.done[0])
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	})
}

// Rule: "wait" never shortens the time there is.
func TestAnEarlyProvisionalAnswerShortensNothing(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		m := h.askedFor(app.asks("000001"))
		h.answers(m, s.tongue.wait)
		s.passes(s.limits.HostTimeout - time.Millisecond)
		app.hearsNothing()
		h.answers(m, s.tongue.no)
		app.hears(s.tongue.answered, s.tongue.no)
	})
}

// settles asks for the totals of the day.
func (p *till) settles() {
	p.shop.t.Helper()
	fields := map[int]string{11: "000700", 41: p.terminal, 42: "MERCHANT0000001"}
	p.sends(map[bool]string{false: "0500", true: "1500"}[p.shop.tongue.profile == "iso93"], fields)
}

// Rule: the totals of the day wait for the reversals of the terminal, and then pass.
func TestSettlementWaitsForReversals(t *testing.T) {
	everywhere(t, func(s *shop) {
		if !s.profile.HoldsSettlement() {
			s.t.Fatal("the profile does not hold settlement")
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		app.hears(s.tongue.answered, s.tongue.unknown)
		reversal := h.reversal(1)
		app.settles()
		h.hearsNothing()
		h.answers(reversal, s.tongue.done[0])
		if all := h.all(); len(all) != 1 || all[0].Fields[11] != "000700" {
			s.t.Errorf("the host hears %d messages, want the settlement", len(all))
		}
	})
}

// Rule: a host whose totals do not want that is not kept waiting.
func TestSettlementPassesWhereTheProfileSaysSo(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		h.reversal(1)
		app.settles()
		h.hears("0500")
	}, speakingAs("iso87-ascii", "no-hold.yaml"))
}

// Rule: an answer that can not be read is never lost: its bytes are in the journal, sealed, in as
// many parts as they take, none of them in the clear; it is counted, and what it might have answered
// stays open.
func TestAnAnswerThatCanNotBeReadIsKeptSealed(t *testing.T) {
	for name, long := range map[string]int{"short": 0, "long": 900} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				m := h.askedFor(app.asks("000001"))
				body := h.words(s.tongue.answered, answer(m, s.tongue.yes))
				body = append(body, "4111111111111111=29122010000012345678"...)
				body = append(body, bytes.Repeat([]byte("CVV2=123 "), long/9)...)
				h.saysBytes(body)
				app.hearsNothing()
				s.passes(s.limits.HostTimeout)
				app.hears(s.tongue.answered, s.tongue.unknown)
				h.answers(h.reversal(1), s.tongue.done[0])
				s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
				if n := s.status().Counts.Strays; n != 1 {
					s.t.Errorf("%d answers are counted as stray", n)
				}
				if got := s.sealed(); !bytes.Equal(got, body) {
					s.t.Errorf("sealed are %d bytes, want %d:\n%X\n%X", len(got), len(body), got, body)
				}
			})
		})
	}
}

// Rule: the bytes of an approval whose MAC is wrong are evidence: they are kept likewise.
func TestAnAnswerWithAWrongMACIsKeptSealed(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		body := spoilt(h.words("0210", answer(h.askedFor(app.asks("000001")), "00")))
		h.saysBytes(body)
		if got := s.sealed(); !bytes.Equal(got, body) {
			s.t.Errorf("sealed are\n%X\nwant\n%X", got, body)
		}
	})
}

// sealed are the bytes of all strays on file, put together, and their parts are numbered.
func (s *shop) sealed() []byte {
	s.t.Helper()
	strays := s.strays()
	for i, l := range strays {
		if want := fmt.Sprintf("%d/%d", i+1, len(strays)); len(strays) > 1 && l.Part != want {
			s.t.Errorf("part %q, want %s", l.Part, want)
		}
	}
	s.closes()
	defer s.opens()
	o := s.options
	o.Path, o.Boot, o.AnyFilesystem = filepath.Join(s.dir, "journal.db"), s.clock.BootID(), true
	journal, err := store.Open(o)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := journal.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	entries, err := journal.Scan(1, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []byte
	for _, e := range entries {
		if payment.Kind(e.Kind) != payment.RecordStray {
			continue
		}
		part, err := journal.Unseal(e)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, part...)
	}
	return all
}
