package faultsim

import (
	"slices"

	"reversald/agent/payment"
)

// perform does what was decided; its records are on the disk.
func (c *core) perform() {
	todos := c.after
	c.after = nil
	for _, t := range todos {
		if t.tell != nil {
			c.w.tell(t.tell.Till, 0, t.tell)
			continue
		}
		switch effect := t.effect.(type) {
		case payment.SendRequest:
			c.sendRequest(t.p)
		case payment.SendReversal:
			c.sendReversal(t.p, effect.N)
		case payment.TellApp:
			c.tellApp(t.p, effect.Outcome)
		case payment.TellConfirmed:
			c.w.confirmed(t.p.till, t.p.sale)
		case payment.TellReversed:
			c.tellReverser(t.p, effect.Code)
		case payment.TellStuck:
			c.tellReverser(t.p, "68")
		}
	}
}

func (c *core) sendRequest(p *held) {
	if p.live.Phase != payment.Asked {
		return
	}
	if c.w.send(p.message(Sale)) != nil {
		c.again = append(c.again, later{p, payment.NeverLeft{}})
	}
}

func (c *core) sendReversal(p *held, n int) {
	if p.live.Phase != payment.Doubted || p.live.Attempts != n {
		return
	}
	m := p.message(Reversal)
	m.Repeat = n > 1
	if c.w.send(m) != nil {
		c.again = append(c.again, later{p, payment.ReversalNeverLeft{}})
	}
}

func (p *held) message(k Kind) *Message {
	return &Message{Kind: k, Till: p.till, STAN: p.stan, Sale: p.sale}
}

// answer is what the till hears about its sale.
func (p *held) answer(code string) *Message {
	m := p.message(SaleAnswer)
	m.Code = code
	return m
}

func (c *core) tellApp(p *held, outcome payment.Outcome) {
	decided := p.live.Phase == payment.Approved || p.live.Phase == payment.Declined
	if outcome == payment.HostAnswer && !decided {
		outcome = payment.Unknown
	}
	asker := p.asker
	switch {
	case outcome == payment.Unknown:
		p.asker = false
		if asker {
			c.w.tell(p.till, 0, p.answer("68"))
		}
		return
	case outcome == payment.NotSent:
		p.asker = false
		if asker {
			c.w.tell(p.till, 0, p.answer("91"))
		}
		return
	case p.live.Phase == payment.Declined:
		p.asker = false
		if asker {
			c.w.tell(p.till, 0, p.answer(p.code))
		}
		return
	case !asker:
		c.again = append(c.again, later{p, payment.Undeliverable{}})
		return
	}
	c.ticket++
	switch c.w.tell(p.till, c.ticket, p.answer(p.code)) {
	case delivered:
		p.asker = false
		c.again = append(c.again, later{p, payment.Delivered{}})
	case waits:
		c.underway = append(c.underway, delivery{c.ticket, p})
	case gone:
		if !c.onItsWay(p) {
			c.again = append(c.again, later{p, payment.Undeliverable{}})
		}
	}
}

func (c *core) onItsWay(p *held) bool {
	return slices.ContainsFunc(c.underway, func(d delivery) bool { return d.p == p })
}

func (c *core) tellReverser(p *held, code string) {
	if m := p.reverser; m != nil {
		p.reverser = nil
		c.local(m, code)
	}
}

// local answers a till's question in the terminal's own words, once the round is written.
func (c *core) local(q *Message, code string) {
	answer := *q
	answer.Kind, answer.Code = q.Kind.answer(), code
	c.after = append(c.after, todo{tell: &answer})
}
