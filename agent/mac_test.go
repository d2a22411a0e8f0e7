package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/iso"
)

// authenticated tells a story once in every dialect that has MACs.
func authenticated(t *testing.T, f func(s *shop), changes ...func(*shop)) {
	t.Helper()
	t.Parallel()
	for name := range tongues {
		p, err := iso.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.MAC().None() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			story(t, f, append([]func(*shop){speaking(name)}, changes...)...)
		})
	}
}

// spoilt is a message whose MAC is another one.
func spoilt(body []byte) []byte {
	body = append([]byte(nil), body...)
	body[len(body)-1] ^= 1
	return body
}

// doubt is the entry that says why a payment is being reversed.
func (s *shop) doubt(stan string) string {
	s.t.Helper()
	for _, l := range s.story(stan) {
		if l.Kind == "doubted" {
			return l.Reason
		}
	}
	s.t.Errorf("payment %s was never doubted", stan)
	return ""
}

// changesKeys gives both sides new keys, as a sign-on of another terminal app would.
func (s *shop) changesKeys(seed byte) {
	s.t.Helper()
	for _, signer := range []hal.Signer{s.signer, s.bank} {
		_, err := signer.LoadWorkingKeys(context.Background(),
			hal.WorkingKeys{Blob: workingKeys(seed)})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// Rule: a reversal carries a MAC that is made when it leaves, with the key of that moment.
func TestEveryAttemptIsSignedWithTheKeyOfItsMoment(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		h.reversal(1)
		first := h.proven()
		s.changesKeys(1)
		s.passes(s.limits.HostTimeout)
		h.reversal(2)
		second := h.proven()
		s.changesKeys(2)
		s.restarts()
		h = s.lineComesUp()
		again := h.reversal(3)
		if third := h.proven(); first == second || second == third {
			s.t.Errorf("the MAC stays %q, %q, %q though the key changed", first, second, third)
		}
		h.answers(again, s.tongue.done[0])
		s.owes(0, 0)
	})
}

// Rule: an approval with a wrong MAC, or without one, is no answer: the sale is doubted for that
// reason, and the till never hears of the approval.
func TestAnApprovalThatProvesNothingIsNoAnswer(t *testing.T) {
	for name, say := range map[string]func(h *host, m iso.Message){
		"wrong": func(h *host, m iso.Message) {
			h.saysBytes(spoilt(h.words("0210", answer(m, "00"))))
		},
		"none": func(h *host, m iso.Message) {
			body, err := h.shop.profile.Compose("0210", answer(m, "00"))
			if err != nil {
				h.shop.t.Fatal(err)
			}
			h.saysBytes(body)
		},
		"zeros": func(h *host, m iso.Message) { h.saysBytes(h.plain("0210", answer(m, "00"))) },
		"of the keys before": func(h *host, m iso.Message) {
			body := h.words("0210", answer(m, "00"))
			h.shop.changesKeys(9)
			h.saysBytes(body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			authenticated(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				say(h, h.askedFor(app.asks("000001")))
				app.hears("0210", s.tongue.unknown)
				reversal := h.reversal(1)
				h.proven()
				if s.tongue.profile == "unionpay" && reversal.Fields[39] != "A0" {
					s.t.Errorf("the reversal says %q, want A0", reversal.Fields[39])
				}
				if why := s.doubt("000001"); why != "MAC wrong" {
					s.t.Errorf("doubted because of %q", why)
				}
				if len(s.strays()) != 1 || s.status().Counts.Strays != 1 {
					s.t.Error("the answer that proved nothing is not on file")
				}
				h.answers(reversal, s.tongue.done[0])
				s.owes(0, 0)
				app.hearsNothing()
			})
		})
	}
}

// Rule: a reversal's answer with a wrong MAC settles nothing, and the reversal is repeated.
func TestAReversalsAnswerThatProvesNothingSettlesNothing(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout)
		reversal := h.reversal(1)
		h.saysBytes(spoilt(h.words(s.profile.AnswerMTI(reversal.MTI), answer(reversal, "00"))))
		h.saysBytes(h.plain(s.profile.AnswerMTI(reversal.MTI), answer(reversal, "00")))
		s.owes(1, 0)
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(2), "00")
		s.owes(0, 0)
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal sent", "reversed")
	})
}

// Rule: where only approvals must carry a MAC, a declined answer without one is taken. Where all of
// them must, it is no answer.
func TestADeclinedAnswerWithoutAMAC(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		body, err := s.profile.Compose("0210", answer(h.askedFor(app.asks("000001")), "51"))
		if err != nil {
			s.t.Fatal(err)
		}
		h.saysBytes(body)
		if s.tongue.profile == "unionpay" {
			app.hears("0210", "51")
			s.onFile("000001", "asked", "declined")
			return
		}
		app.hears("0210", s.tongue.unknown)
		h.answers(h.reversal(1), "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	})
}

// Rule: a declined answer that does carry a MAC is checked all the same.
func TestADeclinedAnswerWithAWrongMACIsNoAnswer(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		fields := answer(h.askedFor(app.asks("000001")), "51")
		fields[64] = "3030303030303030"
		h.saysBytes(h.plain("0210", fields))
		app.hears("0210", s.tongue.unknown)
		h.answers(h.reversal(1), "00")
		if why := s.doubt("000001"); why != "MAC wrong" {
			s.t.Errorf("doubted because of %q", why)
		}
	})
}

// Rule: an answer of our own to the till carries a MAC where the host's would, made with the key of
// that moment.
func TestOurOwnAnswersAreSignedAsTheHostsAre(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		signed := func(code string) {
			s.t.Helper()
			body := app.hearsBytes()
			g, err := s.profile.Glance(body)
			if err != nil || g.Code != code {
				s.t.Fatalf("the till hears code %q, want %q (%v)", g.Code, code, err)
			}
			mac, right := s.macOf(body)
			if want := s.profile.MAC().Needs(g); want != right || want != (mac != "") {
				s.t.Errorf("code %s: MAC %q, right %t, wanted %t", code, mac, right, want)
			}
		}
		h.answers(h.askedFor(app.asks("000001")), "00")
		signed("00")
		s.changesKeys(3)
		app.asks("000001") // from file
		signed("00")
		h.askedFor(app.asks("000002"))
		s.passes(s.limits.HostTimeout)
		signed(s.tongue.unknown)
		h.answers(h.reversal(1), "25")
		app.asks("000002")
		signed(s.tongue.reversed)
	})
}

// Rule: an answer that can not be signed is not given unsigned: the line to the till is closed, and
// what is on file is as true as before.
func TestAnAnswerThatCanNotBeSignedIsNotGiven(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.answers(h.askedFor(app.asks("000001")), "00")
		app.hears("0210", "00")
		s.faults().Add(haltest.SignerFaults{Away: true})
		app.asks("000001")
		app.hearsNothing()
		app.isHungUpOn()
		s.onFile("000001", "asked", "approved", "confirmed")
	}, misbehaving())
}

// broken is what goes wrong with a signer for a long time.
var broken = map[string]haltest.SignerFaults{
	"away":     {Away: true},
	"refusing": {Refuse: hal.ErrSignerRefused},
	"no key":   {Refuse: hal.ErrSignerNoKey},
	"hanging":  {Hang: true},
	"confused": {Refuse: errors.New("¿?")},
}

// Rule: a signer that is away, slow or unwilling delays a reversal and loses none; it goes out,
// right, when the signer is back.
func TestAReversalOutlastsABrokenSigner(t *testing.T) {
	for name, fault := range broken {
		t.Run(name, func(t *testing.T) {
			authenticated(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				h.askedFor(app.asks("000001"))
				for range 3 { // one for the till's answer, where that is signed
					s.faults().Add(fault)
				}
				s.passes(s.limits.HostTimeout)
				s.owes(1, 0)
				h.hearsNothing()
				s.passes(time.Minute)
				h.answers(h.hears(s.tongue.first), "00")
				h.proven()
				s.owes(0, 0)
			}, misbehaving())
		})
	}
}

// Rule: an answer nobody could check is no answer either; it is not called a wrong MAC.
func TestAnAnswerThatCanNotBeCheckedIsNoAnswer(t *testing.T) {
	for name, fault := range broken {
		t.Run(name, func(t *testing.T) {
			authenticated(t, func(s *shop) {
				h, app := s.lineComesUp(), s.till("TERM0001")
				m := h.askedFor(app.asks("000001"))
				s.faults().Add(fault)
				h.answers(m, "00")
				s.passes(6 * time.Second)
				app.hears("0210", s.tongue.unknown)
				if why := s.doubt("000001"); why == "MAC wrong" {
					s.t.Errorf("doubted because of %q", why)
				}
				h.answers(h.reversal(1), "00")
				h.proven()
				s.owes(0, 0)
			}, misbehaving())
		})
	}
}

// Rule: a slow signer never holds up the agent: people are answered, and requests go out, while a
// MAC is being made and another is being checked.
func TestASlowSignerHoldsUpNobody(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.passes(s.limits.HostTimeout - time.Second)
		second := s.till("TERM0002")
		m := h.askedFor(second.asks("000002"))
		s.passes(time.Second - time.Millisecond)
		slow := haltest.SignerFaults{Delay: 4 * time.Second}
		s.faults().Add(slow, slow, slow)
		s.passes(time.Millisecond)
		h.answers(m, "00")
		before := time.Now()
		s.owes(1, 0)
		h.askedFor(s.till("TERM0003").asks("000003"))
		if time.Since(before) > 0 {
			s.t.Errorf("the signer held everybody up for %s", time.Since(before))
		}
		s.passes(9 * time.Second)
		second.hears("0210", "00")
		h.answers(h.reversal(1), "00")
		h.proven()
	}, misbehaving())
}

// Rule: a dialect without MACs never asks the signer for anything.
func TestADialectWithoutMACsAsksNoSigner(t *testing.T) {
	everywhere(t, func(s *shop) {
		if !s.profile.MAC().None() {
			return
		}
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.answers(h.askedFor(app.asks("000001")), s.tongue.yes)
		app.hears(s.tongue.answered, s.tongue.yes)
		h.askedFor(app.asks("000002"))
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(1), s.tongue.done[0])
		if n := s.faults().Calls(); n != 0 {
			s.t.Errorf("the signer was asked %d times", n)
		}
	}, misbehaving(haltest.SignerFaults{Hang: true}))
}

// Rule: a line that is cut while the signer thinks loses and doubles nothing that counts: what is
// owed goes out on the next line, with a MAC of that moment.
func TestALineThatIsCutWhileTheSignerThinks(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		s.faults().Add(haltest.SignerFaults{Delay: 3 * time.Second}, haltest.SignerFaults{Hang: true})
		h.cut()
		h = s.lineComesUp()
		s.passes(time.Second)
		h.cut()
		h = s.lineComesUp()
		s.passes(time.Minute)
		all := h.all()
		if len(all) == 0 {
			s.t.Fatal("nothing goes out on the new line")
		}
		h.answers(all[len(all)-1], "00")
		s.owes(0, 0)
		if n := strings.Count(s.log.text(), "panic"); n != 0 {
			s.t.Error("something panicked")
		}
	}, misbehaving())
}
