package agent

import (
	"errors"
	"log/slog"

	"reversald/agent/payment"
	"reversald/agent/reversal"
	"reversald/hal"
	"reversald/iso"
)

// fromHost takes one message off the line. An answer is matched by key and by class: a late 0210
// never answers a 0400, though trace number and terminal are the same.
func (a *Agent) fromHost(body []byte, mac error) error {
	a.keeping.heard = a.now()
	a.keeping.heardLast, a.keeping.heardEver = a.keeping.heard, true
	g, err := a.profile.Glance(body)
	if err != nil {
		return a.keepStray(g, body, err.Error())
	}
	// What ends a sign-on of ours never asks for the next one: some hosts say so until then.
	if a.profile.WantsSignOn(body) && !a.keeping.waitsFor(g) {
		defer a.beginSignOn(a.keeping.heard)
	}
	if mac != nil && (g.Class == iso.ClassPaymentAnswer || g.Class == iso.ClassReversalAnswer) {
		return a.unproven(g, body, mac)
	}
	switch g.Class {
	case iso.ClassPaymentAnswer:
		p := a.books.byKey[g.Key]
		// An inquiry may use the trace number of a payment that is closed.
		if (p == nil || !p.state.Phase.Open()) && a.passBack(g, body) {
			return nil
		}
		if p != nil && a.ofAnother(p, g) {
			return a.keepStray(g, body, anotherAmount)
		}
		if p != nil {
			return a.answered(p, g, body)
		}
	case iso.ClassReversalAnswer:
		p := a.books.byReversal[g.Key]
		if q := a.books.byKey[g.Key]; p == nil && a.reversesByItsKey(q) {
			p = q
		}
		if p != nil && a.ofAnother(p, g) {
			return a.keepStray(g, body, anotherAmount)
		}
		if p != nil && p.state.Attempts > 0 && p.state.Phase.Open() {
			return a.reversalAnswered(p, g)
		}
	case iso.ClassOther:
		a.answerHost(body)
		return nil
	case iso.ClassOtherAnswer:
		if a.signedOn(g, body) || a.echoed(g) {
			return nil
		}
		a.overhear(g, body)
	case iso.ClassSettlementAnswer, iso.ClassPayment, iso.ClassReversal, iso.ClassSettlement:
	}
	if a.passBack(g, body) {
		return nil
	}
	return a.keepStray(g, nil, a.nearest(g))
}

// anotherAmount is why such an answer is kept as a stray.
const anotherAmount = "it speaks of another amount: of an earlier payment, in all likelihood"

// ofAnother: an answer that fits a payment by its key, and speaks of another amount, is of another
// payment that had the same trace number: it is none (UnionPay terminals look at the amount too).
// Less than was asked for is the answer where its code says that it approves a part.
func (a *Agent) ofAnother(p *held, g iso.Glance) bool {
	if a.profile.AnyAmount() || g.AmountMinor == 0 || p.amount == 0 || g.AmountMinor == p.amount {
		return false // many hosts do not repeat it
	}
	if g.AmountMinor > p.amount {
		return true
	}
	code := g.Code
	if g.Class == iso.ClassReversalAnswer { // of what was approved
		code = ""
		if p.kept != nil {
			code = p.kept.Code
		}
	}
	whole := code == "00" || code == "000"
	return whole || a.profile.Outcome(code) != iso.OutcomeApproved
}

// reversesByItsKey: a reversal of this payment went out with its own trace number. Where the host
// wants other numbers, an answer with this one is to somebody else's reversal.
func (a *Agent) reversesByItsKey(p *held) bool {
	if p == nil {
		return false
	}
	policy := a.profile.StanPolicy()
	return policy.For(1) == iso.StanOriginal ||
		p.state.Attempts > 1 && policy.For(p.state.Attempts) == iso.StanOriginal
}

// answered: the host's answer to a payment's request.
func (a *Agent) answered(p *held, g iso.Glance, body []byte) error {
	inTime := p.state.Phase == payment.Asked
	switch a.profile.Outcome(g.Code) {
	case iso.OutcomeApproved:
		if inTime {
			p.answer, p.kept = body, a.keep(g, body)
		}
		return a.happen(p, payment.HostApproved{Code: g.Code})
	case iso.OutcomeDeclined:
		if inTime {
			p.answer, p.kept = body, a.keep(g, body)
		}
		return a.happen(p, payment.HostDeclined{Code: g.Code})
	case iso.OutcomeAmbiguous:
		return a.happen(p, payment.HostUnclear{Code: g.Code, Reason: payment.Unclear})
	case iso.OutcomeProvisional:
		a.log.Info("host says wait", slog.Uint64("id", uint64(p.id)), slog.String("code", g.Code))
		if more := a.profile.Schedule().Provisional; inTime && more > 0 {
			p.deadline = max(p.deadline, a.now()+more)
		}
	}
	return nil
}

// unproven: an answer whose MAC is wrong, missing, or could not be looked at is no answer. What it
// seems to answer is doubted.
func (a *Agent) unproven(g iso.Glance, body []byte, mac error) error {
	reason := payment.BadAnswer
	if errors.Is(mac, hal.ErrMACWrong) || errors.Is(mac, errNoMAC) {
		reason = payment.MACWrong
	}
	if err := a.keepStray(g, body, "its MAC proves nothing: "+mac.Error()); err != nil {
		return err
	}
	p := a.books.byKey[g.Key]
	if g.Class != iso.ClassPaymentAnswer || p == nil || p.state.Phase != payment.Asked {
		return nil
	}
	return a.happen(p, payment.HostUnclear{Code: g.Code, Reason: reason})
}

// echoed takes the answer to our own echo.
func (a *Agent) echoed(g iso.Glance) bool {
	if a.keeping.echoKey == "" || a.keeping.echoKey != g.Key {
		return false
	}
	a.keeping.echoKey = ""
	return true
}

// keep is what stays of an answer; if the profile can not take it apart, the glance must do.
func (a *Agent) keep(g iso.Glance, body []byte) *iso.Kept {
	kept, err := a.profile.Keep(body)
	if err != nil || !keepable(kept.Fields) {
		kept = iso.Kept{Code: g.Code, RRN: g.RRN, Auth: g.Auth}
	}
	return &kept
}

// reversalAnswered: the host's answer to a reversal.
func (a *Agent) reversalAnswered(p *held, g iso.Glance) error {
	p.unsigned = 0
	verdict := verdictOf(a.profile.Verdict(g.Code))
	switch verdict {
	case reversal.Done:
		return a.happen(p, payment.ReversalAccepted{Code: g.Code})
	case reversal.Later, reversal.SignOn:
		if err := a.happen(p, payment.ReversalPutOff{Code: g.Code}); err != nil {
			return err
		}
		a.queue.PutOff(uint64(p.id), verdict, a.now())
		if verdict == reversal.SignOn { // with the key of before it would be refused again
			a.queue.NotBefore(uint64(p.id), a.keeping.soonest)
		}
	case reversal.Refused:
		words, _ := a.profile.Words(g.Code, "en")
		return a.happen(p, payment.ReversalRefused{
			Code: g.Code, Cause: "the host refuses the reversal: " + g.Code + " " + words,
		})
	}
	return nil
}

// verdictOf is the profile's verdict in the queue's words.
func verdictOf(v iso.Verdict) reversal.Verdict {
	switch v {
	case iso.VerdictDone:
		return reversal.Done
	case iso.VerdictRetry:
		return reversal.Later
	case iso.VerdictSignOn:
		return reversal.SignOn
	case iso.VerdictStuck:
		return reversal.Refused
	}
	return reversal.Refused
}

// answerHost answers a host that asks us something, an echo in all likelihood.
func (a *Agent) answerHost(question []byte) {
	body, err := a.profile.LocalAnswer(question, a.yes())
	if err == nil {
		err = a.sendOurs(passTag, iso.ClassOtherAnswer, body)
	}
	if err != nil {
		a.log.Warn("host's question not answered", slog.Any("error", err))
	}
}

// yes is the code that takes a message about the line or the terminal: 00, and in later editions of
// the standard 800.
func (a *Agent) yes() string {
	const usual = "00"
	for _, code := range []string{usual, "800", "000"} {
		if a.profile.SignOn().Accepted(iso.Glance{Code: code}) {
			return code
		}
	}
	return usual
}

// keepStray writes down an answer that belongs to no payment on file, or that could not be read or
// believed; body is kept with it, sealed, where it may be the answer to something.
func (a *Agent) keepStray(g iso.Glance, body []byte, why string) error {
	a.counts.Strays++
	a.log.Warn("stray answer", slog.String("mti", g.MTI), slog.String("terminal", g.Terminal),
		slog.String("stan", g.STAN), slog.String("code", g.Code), slog.String("why", why))
	if a.scarce() {
		return nil
	}
	drafts, err := a.strays(g, body, why)
	if err != nil {
		return err
	}
	a.drafts = append(a.drafts, drafts...)
	return nil
}

// nearest says which open question an answer resembles, and what differs.
func (a *Agent) nearest(g iso.Glance) string {
	var open []iso.Glance
	for _, p := range a.books.listOpen() {
		if p.state.Phase.Open() {
			class := iso.ClassPayment
			if p.state.Phase != payment.Asked {
				class = iso.ClassReversal
			}
			open = append(open, iso.Glance{
				MTI: p.original.MTI, Class: class, Key: p.key, Terminal: p.terminal,
				STAN: p.stan, AmountMinor: p.amount, Currency: p.currency,
			})
		}
	}
	near, ok := a.profile.Nearest(g, open)
	if !ok {
		return "nothing is waiting for an answer"
	}
	return "nearest is " + open[near.Index].Terminal + "/" + open[near.Index].STAN + ": " + near.Why
}
