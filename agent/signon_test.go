package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"reversald/iso"
)

// greeted tells a story once in every dialect that has a sign-on, with a terminal that is known.
func greeted(t *testing.T, f func(s *shop), changes ...func(*shop)) {
	t.Helper()
	t.Parallel()
	for name, tongue := range tongues {
		if tongue.hello == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			story(t, f, append([]func(*shop){speaking(name), signedOn}, changes...)...)
		})
	}
}

// signsOn takes the terminal's sign-on and accepts it, bringing fields.
func (h *host) signsOn(fields map[int]string) iso.Message {
	h.shop.t.Helper()
	m := h.hears(h.shop.tongue.hello)
	said := answer(m, h.shop.tongue.helloed)
	for n, v := range fields {
		said[n] = v
	}
	h.says(h.shop.profile.AnswerMTI(m.MTI), said)
	return m
}

// keysIn is the field that brings the keys, empty where the dialect has none.
func (s *shop) keysIn() int {
	return map[string]int{"unionpay": 62, "as2805": 48}[s.tongue.profile]
}

// handsKeys accepts a sign-on with new keys, where the dialect has any.
func (h *host) handsKeys(seed byte) iso.Message {
	h.shop.t.Helper()
	n := h.shop.keysIn()
	if n == 0 {
		return h.signsOn(nil)
	}
	return h.signsOn(map[int]string{n: h.hands(seed)})
}

// Rule: at link up the terminal signs on before anything else, and a reversal that is owed goes out
// after it, with the keys that it brought; so does a payment that waits.
func TestTheTerminalSignsOnBeforeAnythingElse(t *testing.T) {
	greeted(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		h.askedFor(app.asks("000001"))
		h.cut()
		app.hears(s.tongue.answered, s.tongue.unknown)
		h = s.lineComesUp()
		other := s.till("TERM0002")
		other.asks("000002")
		s.passes(time.Second)
		h.handsKeys(2)
		// The reversal is being signed while the payment of another terminal goes out.
		for _, m := range h.all() {
			if m.MTI == s.tongue.first {
				h.answers(m, s.tongue.done[0])
			} else {
				h.answers(m, s.tongue.yes)
			}
		}
		other.hears(s.tongue.answered, s.tongue.yes)
		s.owes(0, 0)
	})
}

// Rule: keys that come with a sign-on are loaded: the next reversal carries a MAC of the new key.
func TestTheKeysOfASignOnAreLoaded(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		h.answers(h.askedFor(app.asks("000001")), "00")
		app.hears("0210", "00")
		h.askedFor(app.asks("000002"))
		s.passes(s.limits.HostTimeout)
		m := h.reversal(1)
		h.proven()
		h.answers(m, "00")
		s.owes(0, 0)
		info, err := s.signer.Info(context.Background())
		if err != nil || info.Generation != 1 {
			s.t.Errorf("keys of generation %d, %v", info.Generation, err)
		}
	}, signedOn)
}

// Rule: keys that do not agree with their check value are refused, business goes on without them,
// and the sign-on is tried again later.
func TestKeysWithAWrongCheckValueAreRefused(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		bad := workingKeys(1)
		bad[len(bad)-1] ^= 1
		h.signsOn(map[int]string{s.keysIn(): latin(bad)})
		h.answers(h.askedFor(app.asks("000001")), "00")
		app.hears("0210", "00")
		s.passes(5*time.Second - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		h.handsKeys(2)
		h.answers(h.askedFor(app.asks("000002")), "00")
		app.hears("0210", "00")
		s.passes(50 * time.Second)
		h.hearsNothing()
	}, signedOn)
}

// Rule: no answer to the sign-on: business goes on, and it is tried again later, each time later.
func TestBusinessGoesOnWithoutASignOn(t *testing.T) {
	greeted(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.hears(s.tongue.hello)
		sent := app.asks("000001")
		s.passes(s.limits.HostTimeout - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		h.answers(h.askedFor(sent), s.tongue.yes)
		app.hears(s.tongue.answered, s.tongue.yes)
		var pauses []time.Duration
		last := time.Now()
		for range 4 {
			for h.shop.quiet(h) {
				s.passes(time.Second)
			}
			pauses = append(pauses, time.Since(last))
			m := h.hears(s.tongue.hello)
			h.answers(m, s.tongue.stuck[0])
			last = time.Now()
		}
		for i := 1; i < len(pauses); i++ {
			if pauses[i] < pauses[i-1] || pauses[i] < 5*time.Second {
				s.t.Errorf("the sign-on is tried again after %v", pauses)
			}
		}
	}, func(s *shop) { s.limits.EntryWait = time.Minute })
}

// serves answers for a time: sign-ons with keys, everything else with a no.
func (h *host) serves(d time.Duration, seed byte) {
	h.shop.t.Helper()
	for range d / (100 * time.Millisecond) {
		for _, m := range h.all() {
			if m.MTI != h.shop.tongue.hello {
				h.answers(m, h.shop.tongue.no)
				continue
			}
			said := answer(m, h.shop.tongue.helloed)
			said[h.shop.keysIn()] = h.hands(seed)
			h.says(h.shop.profile.AnswerMTI(m.MTI), said)
		}
		h.shop.passes(100 * time.Millisecond)
	}
}

// quiet says that the host has heard nothing new.
func (s *shop) quiet(h *host) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.heard) == 0
}

// Rule: an answer that says "sign on" brings a sign-on, and then the same reversal, with a MAC of
// the new key. It is a retry: the payment stays owed until the host has undone it.
func TestASignOnFollowsWhereTheHostWantsOne(t *testing.T) {
	greeted(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		for i, code := range s.tongue.signOn {
			h.askedFor(app.asks("00010" + string(rune('0'+i))))
			s.passes(s.limits.HostTimeout)
			app.hears(s.tongue.answered, s.tongue.unknown)
			h.answers(h.reversal(1), code)
			s.owes(1, 0)
			h.handsKeys(byte(2 + i))
			again := h.reversal(2)
			if s.bank != nil {
				h.proven()
			}
			h.answers(again, s.tongue.done[0])
			s.owes(0, 0)
		}
		h.hearsNothing()
	})
}

// Rule: the processing request 3 in the header of any answer means: sign on again. The answer counts
// all the same.
func TestTheHeaderMayAskForASignOn(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.handsKeys(1)
		s.passes(10 * time.Second)
		asking := func(body []byte) []byte {
			header := s.profile.SetHeaderRequest(body[:11], 3)
			return append(header, body[11:]...)
		}
		h.saysBytes(asking(h.words("0210", answer(h.askedFor(app.asks("000001")), "00"))))
		app.hears("0210", "00")
		m := h.hears("0800")
		// A host that sets it on the answer to the sign-on itself is not signed on with for ever.
		said := answer(m, "00")
		said[62] = h.hands(2)
		h.saysBytes(asking(h.words("0810", said)))
		s.passes(time.Minute)
		h.hearsNothing()
		h.askedFor(app.asks("000002"))
		s.passes(s.limits.HostTimeout)
		app.hears("0210", "68")
		reversal := h.hears("0400")
		h.proven()
		h.saysBytes(asking(h.words("0410", answer(reversal, "96"))))
		h.handsKeys(3)
		s.passes(s.limits.HostTimeout)
		h.answers(h.hears("0400"), "00")
		h.proven()
		s.owes(0, 0)
	}, speaking("unionpay"), signedOn)
}

// Rule: a sign-on of the app's own passes through, and the keys that it brings are loaded too; its
// batch is learned.
func TestTheAppsOwnSignOnIsOverheard(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.hearsNothing() // nobody knows the terminal: the sign-on is left to the app
		app.sends("0800", map[int]string{
			11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 60: "00000001003", 63: "01 ",
		})
		m := h.hears("0800")
		said := answer(m, "00")
		said[60], said[62] = "00000077003", h.hands(5)
		h.says("0810", said)
		app.hears("0810", "00")
		h.askedFor(app.asks("000002"))
		s.passes(s.limits.HostTimeout)
		reversal := h.hears("0400")
		h.proven()
		h.answers(reversal, "A0")
		if m := h.handsKeys(6); m.Fields[60] != "00000077003" {
			s.t.Errorf("the sign-on names batch %q", m.Fields[60])
		}
		h.answers(h.hears("0400"), "00")
		h.proven()
		s.owes(0, 0)
	}, speaking("unionpay"), func(s *shop) { s.answersSelf = false })
}

// Rule: where nobody knows the terminal, nothing is made up: the sign-on is the app's, and business
// goes on.
func TestAnUnknownTerminalDoesNotSignOn(t *testing.T) {
	t.Parallel()
	for name, tongue := range tongues {
		if tongue.hello == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.passes(10 * time.Minute)
				h.hearsNothing()
				h.answers(h.askedFor(app.asks("000001")), s.tongue.yes)
				app.hears(s.tongue.answered, s.tongue.yes)
				h.cut()
				h = s.lineComesUp()
				if m := h.hears(s.tongue.hello); m.Fields[41] != "TERM0001" {
					s.t.Errorf("the sign-on is of terminal %q", m.Fields[41])
				}
			}, speaking(name), func(s *shop) { s.answersSelf = false })
		})
	}
}

// Rule: the batch is the host's of the newest sign-on, and a reversal keeps that of its original.
func TestTheBatchOfASignOnIsNotThatOfAnOldReversal(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		if m := h.signsOn(map[int]string{60: "00000001003", 62: h.hands(1)}); m.Fields[60] != "00000000003" {
			s.t.Errorf("the first sign-on names batch %q", m.Fields[60])
		}
		h.askedFor(app.asks("000001"))
		h.cut()
		h = s.lineComesUp()
		if m := h.signsOn(map[int]string{60: "00000002003", 62: h.hands(2)}); m.Fields[60] != "00000001003" {
			s.t.Errorf("the second sign-on names batch %q", m.Fields[60])
		}
		m := h.hears("0400")
		h.proven()
		if m.Fields[60] != "22000001000500" {
			s.t.Errorf("the reversal names batch %q", m.Fields[60])
		}
		h.answers(m, "00")
		h.cut()
		h = s.lineComesUp()
		if m := h.hears("0800"); m.Fields[60] != "00000002003" {
			s.t.Errorf("the third sign-on names batch %q", m.Fields[60])
		}
	}, speaking("unionpay"), signedOn)
}

// Rule: a signer that can not load keys fails the sign-on, which is tried again; it does not stop
// the agent.
func TestASignerThatLoadsNoKeysFailsTheSignOn(t *testing.T) {
	for name, fault := range broken {
		t.Run(name, func(t *testing.T) {
			authenticated(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.faults().Add(fault)
				h.handsKeys(1)
				h.serves(10*time.Second, 2)
				app.asks("000001")
				h.serves(20*time.Second, 3)
				app.hears("0210", "51")
				h.askedFor(app.asks("000002"))
				s.passes(s.limits.HostTimeout)
				m := h.reversal(1)
				h.proven()
				h.answers(m, "00")
				s.owes(0, 0)
			}, misbehaving(), signedOn)
		})
	}
}

// Rule: keys are nobody's business: none of a sign-on's is in a log, a status or a journal.
func TestTheKeysOfASignOnAreNowhere(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		keys := h.hands(7)
		h.signsOn(map[int]string{62: keys})
		s.closes()
		for _, text := range append(s.emitted, s.log.text()) {
			if strings.Contains(text, string(workingKeys(7)[:16])) || strings.Contains(text, keys[:8]) {
				s.t.Error("a key shows")
			}
		}
		s.opens()
	}, speaking("unionpay"), signedOn)
}
