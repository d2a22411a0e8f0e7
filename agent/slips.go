package agent

import (
	"reversald/agent/payment"
	"reversald/agent/slip"
	"reversald/iso"
)

// slipEvents are the records that are worth a piece of paper.
var slipEvents = map[payment.Kind]slip.Event{
	payment.RecordDoubted: slip.Failed, payment.RecordReversed: slip.Reversed,
	payment.RecordStuck: slip.Stuck,
}

// slipFor hands a slip to the printer when a payment has failed, and when it is undone or stuck.
// Whether there is paper is the printer's concern: nothing here waits for it.
//
// A payment that its app takes back itself has none: the app knows, and has its own paper.
func (a *Agent) slipFor(s saying) {
	if a.slips == nil || s.p.state.Reason == payment.Cancelled {
		return
	}
	event, ok := slipEvents[s.r.Kind]
	if ok {
		a.slips(a.slipOf(s.p, event))
	}
}

func (a *Agent) slipOf(p *held, event slip.Event) slip.Slip {
	s := slip.Slip{
		Event: event, ID: uint64(p.id), Terminal: p.terminal, STAN: p.stan,
		Merchant: iso.ValuesOf(p.original).Merchant, Amount: p.amount, Currency: p.currency,
		Time: p.since, Printed: a.clock.Wall(), Contact: a.limits.Contact,
	}
	if !p.original.Card.Zero() {
		s.Card = p.original.Card.PAN.Masked()
	}
	if p.kept != nil {
		s.RRN = p.kept.RRN
	}
	return s
}

// Slip is the paper for a payment as it stands: what the printer got, or would have. false when
// there is nothing to tell: it is under way, or ended as the cashier was told.
func (p Payment) Slip(contact string) (slip.Slip, bool) {
	events := map[string]slip.Event{
		payment.Doubted.String(): slip.Failed, payment.Reversed.String(): slip.Reversed,
		payment.Stuck.String(): slip.Stuck,
	}
	event, ok := events[p.Phase]
	return slip.Slip{
		Event: event, ID: p.ID, Merchant: p.Merchant, Terminal: p.Terminal, STAN: p.STAN,
		RRN: p.RRN, Card: p.Card, Amount: p.Amount, Currency: p.Currency, Time: p.Since,
		Contact: contact,
	}, ok
}
