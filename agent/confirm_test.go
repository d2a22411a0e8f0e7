package agent_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent"
	"reversald/hal/haltest"
	"reversald/iso"
)

// asking is one call of Sell that may still be waiting.
type asking struct {
	shop   *shop
	cancel context.CancelFunc
	done   chan struct{}
	got    agent.Payment
	err    error
}

// request is what an app without ISO 8583 asks for, with everything that must not be kept.
func request(stan string) iso.Request {
	return iso.Request{
		Amount: 1234, Currency: "840", Expiry: "2912", EntryMode: "021", Condition: "00",
		Track2: "4111111111111111=29122010000012345678", PINBlock: "0123456789ABCDEF",
		Terminal: "TERM0001", Merchant: "MERCHANT0000001", STAN: stan,
		Fields: map[int]string{48: "CVV2=123"},
	}
}

func saleOf(key, stan string) agent.Sale {
	return agent.Sale{
		App: "api uid 1000", Key: key, Digest: sha256.Sum256([]byte(key)), Reference: "order 7",
		Request: request(stan),
	}
}

// buys asks for a payment that its app confirms, and goes on while it waits.
func (s *shop) buys(sale agent.Sale) *asking {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a := &asking{shop: s, cancel: cancel, done: make(chan struct{})}
	go func(of *agent.Agent) {
		defer close(a.done)
		a.got, a.err = of.Sell(ctx, sale)
		cancel()
	}(s.agent)
	synctest.Wait()
	return a
}

func (a *asking) waits() {
	a.shop.t.Helper()
	synctest.Wait()
	select {
	case <-a.done:
		a.shop.t.Errorf("answered already: %+v, %v", a.got, a.err)
	default:
	}
}

// is what the caller got: a payment in this phase.
func (a *asking) is(phase string) agent.Payment {
	a.shop.t.Helper()
	synctest.Wait()
	select {
	case <-a.done:
	default:
		a.shop.t.Fatalf("still waiting, want %s", phase)
	}
	if a.err != nil || a.got.Phase != phase {
		a.shop.t.Fatalf("%q, %v, want %s", a.got.Phase, a.err, phase)
	}
	a.shop.emits(a.got)
	return a.got
}

// isRefused checks that nothing was sent, and why.
func (a *asking) isRefused(kind agent.RefusalKind) *agent.Refusal {
	a.shop.t.Helper()
	synctest.Wait()
	select {
	case <-a.done:
	default:
		a.shop.t.Fatalf("still waiting, want a refusal")
	}
	var r *agent.Refusal
	if !errors.As(a.err, &r) || r.Kind != kind {
		a.shop.t.Fatalf("%+v, %v, want a refusal: %s", a.got, a.err, kind)
	}
	a.shop.emits(a.err.Error())
	return r
}

// confirms, and wants a phase; a conflict is the payment as it is, with ErrPhase.
func (s *shop) confirms(id uint64, phase string, conflict bool) {
	s.t.Helper()
	p, err := s.agent.Confirm(context.Background(), id, "api uid 1000")
	if p.Phase != phase || errors.Is(err, agent.ErrPhase) != conflict || err != nil && !conflict {
		s.t.Fatalf("confirm: %q, %v, want %s, conflict %t", p.Phase, err, phase, conflict)
	}
	s.emits(p)
}

func (s *shop) cancels(id uint64, phase string, conflict bool) {
	s.t.Helper()
	p, err := s.agent.Cancel(context.Background(), id, "api uid 1000")
	if p.Phase != phase || errors.Is(err, agent.ErrPhase) != conflict || err != nil && !conflict {
		s.t.Fatalf("cancel: %q, %v, want %s, conflict %t", p.Phase, err, phase, conflict)
	}
	s.emits(p)
}

// Rule: an approval that is confirmed in time stays, through power cuts too, and confirming it
// again changes nothing.
func TestASaleThatIsConfirmedStays(t *testing.T) {
	everywhere(t, func(s *shop) {
		h := s.lineComesUp()
		sale := saleOf("key-1", "000001")
		words := s.tongue.sale("TERM0001", "000001")
		sale.Request = iso.Request{
			Amount: 1234, Terminal: "TERM0001", Merchant: "MERCHANT0000001", STAN: "000001",
			Fields: map[int]string{},
		}
		for n, v := range words {
			if n != 4 && n != 64 {
				sale.Request.Fields[n] = v
			}
		}
		asking := s.buys(sale)
		m := h.hears(s.tongue.ask)
		h.isProven(m)
		asking.waits()
		h.answers(m, s.tongue.yes)
		p := asking.is("approved")
		if p.RRN == "" || p.Auth == "" || p.Amount != 1234 || p.Key != "key-1" || p.Ref != "order 7" ||
			!p.Confirms || p.ConfirmBy == nil || p.Card != "411111******1111" ||
			p.Merchant != "MERCHANT0000001" {
			t.Errorf("what a receipt needs: %+v", p)
		}
		s.passes(s.limits.ConfirmTimeout - time.Second)
		s.confirms(p.ID, "confirmed", false)
		s.confirms(p.ID, "confirmed", false)
		s.cancels(p.ID, "confirmed", true)
		s.restarts()
		h = s.lineComesUp()
		s.confirms(p.ID, "confirmed", false)
		s.buys(sale).is("confirmed")
		s.passes(time.Hour)
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}

// isProven checks the MAC of what the host heard last, where this host wants one.
func (h *host) isProven(m iso.Message) {
	h.shop.t.Helper()
	mac := h.shop.profile.MAC()
	if !mac.Sends(h.shop.profile.ClassOf(m.MTI)) {
		return
	}
	code, present := mac.Of(h.body)
	if !present || string(code) == string(make([]byte, len(code))) {
		h.shop.t.Errorf("a request without a MAC: %x, %t", code, present)
	}
}

// Rule: what is not confirmed in time is reversed, and a confirm that comes late hears the truth.
func TestASaleThatIsNotConfirmedIsReversed(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", ""))
		h.answers(h.hears("0200"), "00")
		p := asking.is("approved")
		s.passes(s.limits.ConfirmTimeout)
		reversal := h.hears("0400")
		if reversal.Fields[11] != p.STAN || reversal.Fields[39] != "22" {
			t.Errorf("reversal of %s for %s", reversal.Fields[11], reversal.Fields[39])
		}
		s.confirms(p.ID, "doubted", true)
		h.answers(reversal, "00")
		s.confirms(p.ID, "reversed", true)
		s.cancels(p.ID, "reversed", false)
		s.onFile(p.STAN, "asked", "approved", "doubted", "reversal sent", "reversed")
		s.buys(saleOf("key-1", "")).is("reversed")
		h.hearsNothing()
	})
}

// Rule: a cancel owes a reversal, whether the host has answered or not, and may be repeated.
func TestASaleThatIsCancelledIsReversed(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered %t", answered), func(t *testing.T) {
			story(t, func(s *shop) {
				h := s.lineComesUp()
				asking := s.buys(saleOf("key-1", "000001"))
				m := h.hears("0200")
				if answered {
					h.answers(m, "00")
					asking.is("approved")
				}
				id := s.id("000001")
				s.cancels(id, "doubted", false)
				s.cancels(id, "doubted", false)
				s.confirms(id, "doubted", true)
				reversal := h.hears("0400")
				if !answered {
					asking.is("doubted")
					h.answers(m, "00") // too late: it changes nothing
					if reversal.Fields[39] != "17" {
						t.Errorf("reversed for %s", reversal.Fields[39])
					}
				}
				s.cancels(id, "doubted", false)
				h.answers(reversal, "00")
				s.cancels(id, "reversed", false)
				s.confirms(id, "reversed", true)
				h.hearsNothing()
				if answered {
					s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
				} else {
					s.onFile("000001", "asked", "doubted", "reversal sent", "late answer", "reversed")
				}
			})
		})
	}
}

// Rule: a declined sale holds nothing to take back: a cancel says so, and a confirm is refused.
func TestADeclinedSaleIsClosed(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", "000001"))
		h.answers(h.hears("0200"), "51")
		p := asking.is("declined")
		if p.Code != "51" {
			t.Errorf("code %s", p.Code)
		}
		s.cancels(p.ID, "declined", false)
		s.confirms(p.ID, "declined", true)
		s.restarts()
		s.lineComesUp().hearsNothing()
		s.buys(saleOf("key-1", "000001")).is("declined")
		s.onFile("000001", "asked", "declined")
	})
}

// Rule: a power cut between approval and confirm leaves no debit, whatever unconfirmed_at_boot says:
// this door has a confirm.
func TestAPowerCutBeforeTheConfirmReverses(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", "000001"))
		h.answers(h.hears("0200"), "00")
		p := asking.is("approved")
		s.restarts()
		h = s.lineComesUp()
		s.confirms(p.ID, "doubted", true)
		s.buys(saleOf("key-1", "000001")).is("doubted")
		h.answers(h.hears("0400"), "00")
		s.confirms(p.ID, "reversed", true)
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
	}, func(s *shop) { s.limits.KeepUnconfirmed = true })
}

// Rule: a key that is on file gives the payment it names, in whatever state, after any crash, and
// nothing is sent twice. With another body it is refused, and says which payment it names.
func TestAKeyNamesOnePaymentForEver(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		sale := saleOf("key-1", "000001")
		other := sale
		other.Digest = sha256.Sum256([]byte("other"))
		asking := s.buys(sale)
		m := h.hears("0200")
		again := s.buys(sale)
		again.waits()
		if r := s.buys(other).isRefused(agent.RefusedKey); r.ID == 0 {
			t.Error("the refusal does not say which payment it is")
		}
		s.killed() // with the request at the host
		<-asking.done
		<-again.done
		if !errors.Is(asking.err, agent.ErrStopped) || !errors.Is(again.err, agent.ErrStopped) {
			t.Errorf("told %v and %v", asking.err, again.err)
		}
		s.opens()
		h = s.lineComesUp()
		s.buys(sale).is("doubted")
		s.buys(other).isRefused(agent.RefusedKey)
		h.answers(h.hears("0400"), "00")
		h.answers(m, "51") // late
		if p := s.buys(sale).is("reversed"); !p.Replayed {
			t.Error("not said to be a replay")
		}

		// Closed, forgotten in memory, and still on file.
		const others = 520
		for n := range others {
			asking := s.buys(saleOf(fmt.Sprintf("filler-%d", n), ""))
			h.answers(h.hears("0200"), "51")
			asking.is("declined")
		}
		for range 2 {
			if p := s.buys(sale).is("reversed"); !p.Replayed || p.Key != "key-1" {
				t.Errorf("%+v", p)
			}
			s.buys(other).isRefused(agent.RefusedKey)
			id := s.found(agent.Query{Key: "key-1", App: "api uid 1000"})[0].ID
			s.confirms(id, "reversed", true)
			s.cancels(id, "reversed", false)
			h.hearsNothing()
			s.restarts()
			h = s.lineComesUp()
		}
		// Another app may use the same key for a payment of its own.
		foreign := saleOf("key-1", "000777")
		foreign.App = "api uid 1001"
		asking = s.buys(foreign)
		h.answers(h.hears("0200"), "51")
		asking.is("declined")
		if _, err := s.agent.Confirm(context.Background(), asking.got.ID, "api uid 1000"); !errors.Is(
			err, agent.ErrNoPayment) {
			t.Errorf("another app's payment: %v", err)
		}
	})
}

// found is what a search gives.
func (s *shop) found(q agent.Query) []agent.Payment {
	s.t.Helper()
	all, err := s.agent.Find(context.Background(), q)
	if err != nil {
		s.t.Fatal(err)
	}
	s.emits(all)
	return all
}

// Rule: two calls with one key at once are one payment, and both hear how it went. The same trace
// number under another key is refused.
func TestTwoCallsWithOneKeyAreOnePayment(t *testing.T) {
	story(t, func(s *shop) {
		sale := saleOf("key-1", "000001")
		one, two := s.buys(sale), s.buys(sale) // the line is down: both wait in the room
		s.buys(saleOf("key-2", "000001")).isRefused(agent.RefusedTrace)
		other := sale
		other.Digest = sha256.Sum256([]byte("other"))
		s.buys(other).isRefused(agent.RefusedKey)
		s.dialer.pulled.Store(false)
		h := s.lineComesUp()
		three := s.buys(sale)
		s.buys(saleOf("key-2", "000001")).isRefused(agent.RefusedTrace)
		m := h.hears("0200")
		h.hearsNothing()
		h.answers(m, "00")
		id := one.is("approved").ID
		if two.is("approved").ID != id || three.is("approved").ID != id {
			t.Error("two payments")
		}
		s.confirms(id, "confirmed", false)
		s.buys(saleOf("key-2", "000001")).isRefused(agent.RefusedTrace) // the very same request
		h.hearsNothing()
		next := saleOf("key-3", "000001") // the number comes round again: another amount
		next.Request.Amount = 99
		asking := s.buys(next)
		h.answers(h.hears("0200"), "51")
		asking.is("declined")
	}, pulled)
}

// Rule: a client that is gone before the answer changes nothing of a payment that has left; the
// confirm's deadline decides. One that has not left never does.
func TestAClientThatIsGone(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", "000001"))
		m := h.hears("0200")
		asking.cancel()
		<-asking.done
		h.answers(m, "00")
		if p := s.found(agent.Query{STAN: "000001", Terminal: "TERM0001"}); len(p) != 1 ||
			p[0].Phase != "approved" || p[0].ConfirmBy == nil {
			t.Errorf("found %+v", p)
		}
		s.passes(s.limits.ConfirmTimeout)
		h.answers(h.hears("0400"), "00")
		s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")

		s.dialer.pulled.Store(true)
		h.cut()
		waiting, stays := s.buys(saleOf("key-2", "000002")), s.buys(saleOf("key-2", "000002"))
		gone := s.buys(saleOf("key-3", "000003"))
		waiting.cancel()
		gone.cancel()
		<-waiting.done
		<-gone.done
		s.dialer.pulled.Store(false)
		h = s.lineComesUp()
		if m := h.hears("0200"); m.Fields[11] != "000002" {
			t.Errorf("the host hears %s", m.Fields[11])
		}
		h.hearsNothing()
		stays.waits()
		s.onFile("000003")
	})
}

// Rule: what can not go out is refused with the reason, nothing is on file, and the key may be used
// again.
func TestWhatDoesNotGoOutIsSaidToBeUnsent(t *testing.T) {
	story(t, func(s *shop) {
		asking := s.buys(saleOf("key-1", "000001"))
		s.passes(s.limits.EntryWait)
		asking.isRefused(agent.RefusedLine)
		s.dialer.pulled.Store(false)
		h := s.lineComesUp()
		asking = s.buys(saleOf("key-1", "000001"))
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		asking.is("doubted")
		h.hears("0400")
		owed := s.buys(saleOf("key-2", "000002"))
		s.passes(s.limits.EntryWait)
		owed.isRefused(agent.RefusedOwed)
		s.onFile("000002")

		for name, spoil := range map[string]func(*agent.Sale){
			"amount":    func(x *agent.Sale) { x.Request.Amount = 1e13 },
			"card":      func(x *agent.Sale) { x.Request.PAN = "4111x" },
			"field":     func(x *agent.Sale) { x.Request.Fields = map[int]string{65: "1"} },
			"terminal":  func(x *agent.Sale) { x.Request.Terminal = "TERMINAL0001" },
			"reference": func(x *agent.Sale) { x.Reference = "card 4111111111111111" },
			"key":       func(x *agent.Sale) { x.Key = "4111111111111111" },
			"frame":     func(x *agent.Sale) { x.Frame = []byte("0200garbage") },
		} {
			sale := saleOf("spoilt-"+name, "")
			spoil(&sale)
			if r := s.buys(sale).isRefused(agent.RefusedMessage); r.Error() == "" {
				t.Errorf("%s: no reason", name)
			}
		}
		sale := saleOf("refund", "")
		sale.Request.Processing = "200000"
		s.buys(sale).isRefused(agent.RefusedKind)
		sale = saleOf("sign-on", "")
		sale.Request.MTI = "0800"
		s.buys(sale).isRefused(agent.RefusedKind)
	}, pulled)
}

// pulled is a change to a shop: the cable is out.
func pulled(s *shop) { s.dialer.pulled.Store(true) }

// Rule: a whole message goes out byte for byte, and the host's answer comes back as it is, unless
// there is card data in it.
func TestAWholeMessageGoesOutAsItIs(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		for stan, echo := range map[string]bool{"000001": false, "000002": true} {
			frame, err := s.profile.Compose("0200", sale("TERM0001", stan))
			if err != nil {
				t.Fatal(err)
			}
			bytes := string(frame)
			asking := s.buys(agent.Sale{App: "api uid 1000", Key: "raw" + stan, Frame: frame})
			m := h.hears("0200")
			if string(h.body) != bytes {
				t.Errorf("sent %x", h.body)
			}
			fields := answer(m, "00")
			fields[55] = "910A00112233445566778899" + "5A084111111111111111"
			if echo {
				fields[2] = m.Fields[2]
			}
			h.says("0210", fields)
			p := asking.is("approved")
			if (p.Answer == nil) != echo && !echo {
				t.Errorf("answer %x, card echoed %t", p.Answer, echo)
			}
			if p.Chip != "910A00112233445566778899" {
				t.Errorf("for the chip: %q", p.Chip)
			}
			s.confirms(p.ID, "confirmed", false)
		}
	})
}

// Rule: the trace numbers we choose go on where the last life ended, and none is used twice.
func TestTraceNumbersOfOurOwn(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		seen := map[string]bool{}
		for n := range 20 {
			if n%5 == 4 {
				s.restarts()
				h = s.lineComesUp()
			}
			asking := s.buys(saleOf(fmt.Sprint("key-", n), ""))
			m := h.hears("0200")
			if seen[m.Fields[11]] || m.Fields[11] == "000000" {
				t.Errorf("trace number %s again", m.Fields[11])
			}
			seen[m.Fields[11]] = true
			h.answers(m, "51")
			asking.is("declined")
		}
		if !seen["000020"] {
			t.Errorf("they do not go on: %v", seen)
		}
	})
}

// Rule: payments are found by whatever an app knows of them, live and after a crash.
func TestPaymentsAreFound(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		one := saleOf("key-1", "000001")
		one.Reference = "order \"7\" & <8>"
		asking := s.buys(one)
		h.answers(h.hears("0200"), "00")
		p := asking.is("approved")
		s.confirms(p.ID, "confirmed", false)
		p2 := s.till("TERM0002")
		p2.asks("000001")
		h.answers(h.hears("0200"), "51")
		for range 2 {
			for what, c := range map[string]struct {
				q    agent.Query
				want []string
			}{
				"trace":     {agent.Query{STAN: "000001", Terminal: "TERM0001"}, []string{"confirmed"}},
				"other":     {agent.Query{STAN: "000001", Terminal: "TERM0002"}, []string{"declined"}},
				"stan":      {agent.Query{STAN: "000001"}, []string{"declined", "confirmed"}},
				"rrn":       {agent.Query{RRN: p.RRN}, []string{"confirmed"}},
				"reference": {agent.Query{Reference: one.Reference}, []string{"confirmed"}},
				"key":       {agent.Query{Key: "key-1", App: one.App}, []string{"confirmed"}},
				"any key":   {agent.Query{Key: "key-1"}, []string{"confirmed"}},
				"app":       {agent.Query{App: "till of TERM0002"}, []string{"declined"}},
				"closed":    {agent.Query{State: "closed"}, []string{"declined", "confirmed"}},
				"declined":  {agent.Query{State: "declined"}, []string{"declined"}},
				"open":      {agent.Query{State: "open"}, nil},
				"one":       {agent.Query{Limit: 1}, []string{"declined"}},
				"before":    {agent.Query{Before: p.ID + 1}, []string{"confirmed"}},
				"none":      {agent.Query{Reference: "order 8"}, nil},
			} {
				var got []string
				for _, p := range s.found(c.q) {
					got = append(got, p.Phase)
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s: %v, want %v", what, got, c.want)
				}
			}
			s.restarts()
			s.lineComesUp()
		}
		if _, err := s.agent.Confirm(context.Background(), 9999, ""); !errors.Is(err, agent.ErrNoPayment) {
			t.Errorf("none: %v", err)
		}
		if _, err := s.agent.Cancel(context.Background(), s.id("000001"), ""); !errors.Is(err, agent.ErrPhase) {
			t.Errorf("a payment of the ISO door: %v", err)
		}
	})
}

// Rule: a full journal refuses a payment to its app in words, nothing of it is on file, and what is
// open can still be confirmed.
func TestAFullJournalRefusesAndStillConfirms(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("open", ""))
		h.answers(h.hears("0200"), "00")
		open := asking.is("approved")
		full := false
		for n := 0; n < 10000 && !full; n++ {
			asking := s.buys(saleOf(fmt.Sprint("key-", n), ""))
			if asked := h.all(); len(asked) > 0 {
				h.answers(asked[0], "51")
				asking.is("declined")
				continue
			}
			asking.isRefused(agent.RefusedFull)
			if found := s.found(agent.Query{Key: fmt.Sprint("key-", n)}); len(found) > 0 {
				t.Errorf("on file: %+v", found)
			}
			s.buys(saleOf(fmt.Sprint("key-", n), "")).isRefused(agent.RefusedFull)
			full = true
		}
		if !full {
			t.Fatal("the journal has room for ever")
		}
		s.confirms(open.ID, "confirmed", false)
		s.restarts()
		s.lineComesUp()
		s.confirms(open.ID, "confirmed", false)
	}, func(s *shop) {
		s.options.SizeMax = 2 << 20
		s.limits.ConfirmTimeout = time.Hour
	})
}

// Rule: what has been forgotten is found no more, what is open is, and the index does not grow.
func TestWhatIsForgottenIsNotFound(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("open", ""))
		h.answers(h.hears("0200"), "00")
		open := asking.is("approved")
		for n := range 40 {
			asking := s.buys(saleOf(fmt.Sprint("key-", n), ""))
			h.answers(h.hears("0200"), "51")
			asking.is("declined")
		}
		s.passes(2 * time.Hour) // time to forget, and to be reversed
		if m := h.all(); len(m) == 0 {
			t.Fatal("not reversed")
		} else {
			h.answers(m[len(m)-1], "00")
		}
		s.passes(2 * time.Hour)
		if found := s.found(agent.Query{State: "closed"}); len(found) > 11 {
			t.Errorf("%d are found, 10 are kept", len(found))
		}
		s.restarts()
		h = s.lineComesUp()
		if found := s.found(agent.Query{Key: "key-0"}); len(found) != 0 {
			t.Errorf("forgotten, and found: %+v", found)
		}
		asking = s.buys(saleOf("key-0", "")) // a key is remembered as long as its payment
		h.answers(h.hears("0200"), "51")
		if asking.is("declined").Replayed {
			t.Error("said to be a replay")
		}
		if p, err := s.agent.Payment(context.Background(), open.ID); err == nil && p.Phase != "reversed" {
			t.Errorf("%+v", p)
		}
	}, func(s *shop) { s.limits.Retention.Payments = 10 })
}

// signedSale is a sale of a dialect whose host wants a MAC.
func signedSale(s *shop, key, stan string) agent.Sale {
	sale := saleOf(key, stan)
	sale.Request = iso.Request{
		Amount: 1234, Terminal: "TERM0001", Merchant: "MERCHANT0000001", STAN: stan,
		Fields: map[int]string{},
	}
	for n, v := range s.tongue.sale("TERM0001", stan) {
		if n != 4 && n != 64 {
			sale.Request.Fields[n] = v
		}
	}
	return sale
}

// Rule: a request that is doubted before the signer has signed it never goes out: behind its own
// reversal it would leave a debit. One that the signer does not sign was never sent.
func TestARequestDoesNotGoOutBehindItsReversal(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		s.faults().Add(haltest.SignerFaults{Delay: 3 * time.Second})
		asking := s.buys(signedSale(s, "key-1", "000001"))
		h.hearsNothing()
		h.cut()
		asking.is("doubted")
		h = s.lineComesUp()
		s.passes(4 * time.Second)
		h.answers(h.hears("0400"), "25")
		s.passes(time.Minute)
		h.hearsNothing()
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")

		s.faults().Add(haltest.SignerFaults{Away: true})
		s.buys(signedSale(s, "key-2", "000002")).is("unsent")
		h.hearsNothing()
		s.onFile("000002", "asked", "unsent")
		asking = s.buys(signedSale(s, "key-3", "000003"))
		m := h.hears("0200")
		h.isProven(m)
		h.answers(m, "51")
		asking.is("declined")
	}, speaking("unionpay"), misbehaving())
}

// Rule: callers that come and go with one key leave nothing behind.
func TestCallersThatComeAndGo(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		asking := s.buys(saleOf("key-1", "000001"))
		m := h.hears("0200")
		for range 100 {
			again := s.buys(saleOf("key-1", "000001"))
			again.cancel()
			<-again.done
		}
		h.answers(m, "00")
		if p := asking.is("approved"); p.Replayed {
			t.Error("the first is said to be a replay")
		}
		h.hearsNothing()
	})
}
