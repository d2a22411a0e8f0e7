package faultsim

import (
	"slices"

	"reversald/agent/payment"
	"reversald/agent/reversal"
)

// ask brings a till's question.
func (c *core) ask(_ uint8, m *Message) {
	switch m.Kind {
	case Sale:
		if !c.known(m) {
			c.enter(m)
		}
	case Reversal:
		c.takeBack(m)
	case Settle:
		c.enter(m)
	case SaleAnswer, ReversalAnswer, SignOn, SignOnAnswer, SettleAnswer, Echo, EchoAnswer:
	}
	c.round()
}

// known answers what is on file already.
func (c *core) known(m *Message) bool {
	p := c.bySTAN[key(m.Till, m.STAN)]
	switch {
	case p == nil:
		return false
	case p.sale == m.Sale && p.live.Phase != payment.Unsent:
		c.askedAgain(p, m)
		return true
	case p.live.Phase.Open():
		c.local(m, "30")
		return true
	}
	return false
}

func (c *core) askedAgain(p *held, m *Message) {
	switch p.live.Phase {
	case payment.Asked:
		p.asker = true
	case payment.Approved:
		p.asker = true
		c.after = append(c.after, todo{
			p: p, effect: payment.TellApp{Outcome: payment.HostAnswer},
		})
	case payment.Confirmed, payment.Declined:
		c.local(m, p.code)
	case payment.Doubted, payment.Stuck:
		c.local(m, "68")
	case payment.Reversed, payment.Resolved:
		c.local(m, "06")
	case payment.Unsent:
	}
}

func (c *core) enter(m *Message) {
	if c.clear(m) && len(c.waiting) == 0 {
		c.leave(m)
		return
	}
	for i := range c.waiting {
		if v := c.waiting[i].m; v.Kind == m.Kind && v.Till == m.Till && v.STAN == m.STAN &&
			v.Sale == m.Sale {
			c.waiting[i].m = m
			return
		}
	}
	c.waiting = append(c.waiting, waiter{m, c.w.now + entryWait})
	c.queue.Hurry(c.terminal[m.Till], c.w.now)
	if !c.lineIsUp {
		c.w.kick()
	}
}

func (c *core) leave(m *Message) {
	if m.Kind == Settle {
		if c.w.send(m) != nil {
			c.local(m, "91")
		}
		return
	}
	if c.known(m) {
		return
	}
	c.nextID++
	p := &held{
		id: c.nextID, sale: m.Sale, stan: m.STAN, till: m.Till, asker: true,
	}
	by := payment.ByDelivery
	if m.Confirms {
		by = payment.ByApp
	}
	c.add(p)
	c.happen(p, payment.Ask{ConfirmBy: by})
}

// takeBack adopts an app's own reversal.
func (c *core) takeBack(m *Message) {
	n := len(c.waiting)
	c.waiting = slices.DeleteFunc(c.waiting, func(v waiter) bool {
		if v.m.Kind != Sale || v.m.Till != m.Till || v.m.STAN != m.STAN {
			return false
		}
		c.local(v.m, "91")
		return true
	})
	p := c.bySTAN[key(m.Till, m.STAN)]
	if len(c.waiting) < n || p == nil || p.sale != m.Sale {
		c.pass(m)
		return
	}
	switch p.live.Phase {
	case payment.Reversed:
		c.local(m, p.live.Code)
		return
	case payment.Stuck:
		c.local(m, "68")
		return
	case payment.Unsent, payment.Declined, payment.Resolved:
		c.pass(m)
		return
	case payment.Asked, payment.Approved, payment.Confirmed, payment.Doubted:
	}
	p.asker = false
	p.reverser = m
	c.queue.Hurry(c.terminal[m.Till], c.w.now)
	c.happen(p, payment.Cancel{})
}

// pass: nothing of ours; the bank decides.
func (c *core) pass(m *Message) {
	if c.w.send(m) != nil {
		c.local(m, "91")
	}
}

func (c *core) gone(till uint8) {
	c.waiting = slices.DeleteFunc(c.waiting, func(v waiter) bool { return v.m.Till == till })
	for _, p := range slices.Clone(c.opens) {
		if p.till != till {
			continue
		}
		p.reverser, p.asker = nil, false
		c.underway = slices.DeleteFunc(c.underway, func(d delivery) bool { return d.p == p })
		if p.live.Phase == payment.Approved {
			c.happen(p, payment.Undeliverable{})
		}
	}
	c.round()
}

func (c *core) told(ticket uint64, ok bool) {
	i := slices.IndexFunc(c.underway, func(d delivery) bool { return d.ticket == ticket })
	if i < 0 {
		return
	}
	p := c.underway[i].p
	c.underway = slices.Delete(c.underway, i, i+1)
	switch {
	case p.live.Phase != payment.Approved:
		return
	case ok:
		p.asker = false
		c.happen(p, payment.Delivered{})
	case !c.onItsWay(p):
		p.asker = false
		c.happen(p, payment.Undeliverable{})
	}
	c.round()
}

func (c *core) confirm(sale uint32) {
	for _, p := range slices.Clone(c.opens) {
		if p.sale == sale {
			c.happen(p, payment.Confirm{})
		}
	}
	c.round()
}

func (*core) stalled() (from, to instant) { return 0, 0 }

func (c *core) look(sale uint32) standing {
	for _, p := range c.opens {
		if p.sale == sale && p.live.Phase == payment.Approved {
			return approvedOnly
		}
	}
	for _, p := range c.recent {
		if p.sale == sale && p.live.Phase == payment.Confirmed {
			return confirmed
		}
	}
	return notDone
}

func (c *core) lineUp() {
	c.lineIsUp = true
	c.queue.LineUp(c.w.now)
	c.round()
}

func (c *core) lineLost() {
	c.lineIsUp = false
	c.queue.LineDown(c.w.now)
	for _, p := range slices.Clone(c.opens) {
		if p.live.Phase == payment.Asked {
			c.happen(p, payment.LinkLost{})
		}
	}
	c.round()
}

func (c *core) never(m *Message) {
	p := c.bySTAN[key(m.Till, m.STAN)]
	if p == nil || p.sale != m.Sale {
		return
	}
	if m.Kind == Reversal {
		c.happen(p, payment.ReversalNeverLeft{})
	} else {
		c.happen(p, payment.NeverLeft{})
	}
	c.round()
}

func (c *core) tick() { c.round() }

func (c *core) wake() (instant, bool) {
	const never = instant(1<<63 - 1)
	next := never
	if at, ok := c.queue.Wake(); ok {
		next = at
	}
	for _, p := range c.opens {
		if p.deadline != 0 {
			next = min(next, p.deadline)
		}
	}
	for _, v := range c.waiting {
		next = min(next, v.until)
	}
	if c.disk.flushAt != 0 {
		next = min(next, c.disk.flushAt)
	}
	return next, next != never
}

// arrived is an answer of the bank's.
func (c *core) arrived(m *Message) {
	switch {
	case m.Garbled || m.Till == strangeTill:
	case m.Kind == SaleAnswer:
		c.saleAnswered(m)
	case m.Kind == ReversalAnswer:
		c.reversalAnswered(m)
	case m.Kind == SettleAnswer && m.Sale == 0:
		c.after = append(c.after, todo{tell: m})
	}
	c.round()
}

func (c *core) saleAnswered(m *Message) {
	p := c.bySTAN[key(m.Till, m.STAN)]
	if p == nil || p.sale != m.Sale { // of another amount
		return
	}
	if c.w.o.Plant == MatchBySTANAlone && p.live.Phase == payment.Doubted &&
		p.live.Attempts > 0 {
		c.reversalAnswered(m)
		return
	}
	asked := p.live.Phase == payment.Asked
	switch {
	case m.BadMAC:
		if asked {
			c.happen(p, payment.HostUnclear{Code: m.Code, Reason: payment.MACWrong})
		}
	case approves(m.Code):
		if c.w.o.Plant == LateApprovalHeals && p.live.Phase == payment.Doubted {
			c.queue.Settle(p.id)
			c.opens = slices.DeleteFunc(c.opens, func(o *held) bool { return o == p })
			return
		}
		if asked {
			p.code = m.Code
		}
		c.happen(p, payment.HostApproved{Code: m.Code})
	case m.Code == "68":
		c.happen(p, payment.HostUnclear{Code: m.Code, Reason: payment.Unclear})
	case m.Code == "09":
		if asked {
			p.deadline = max(p.deadline, c.w.now+hostTimeout)
		}
	default:
		if asked {
			p.code = m.Code
		}
		c.happen(p, payment.HostDeclined{Code: m.Code})
	}
}

func (c *core) reversalAnswered(m *Message) {
	p := c.bySTAN[key(m.Till, m.STAN)]
	if p != nil && p.sale != m.Sale {
		return
	}
	if m.BadMAC || p == nil || p.live.Attempts == 0 || !p.live.Phase.Open() {
		if !m.BadMAC && (p == nil || !p.live.Phase.Open()) { // of a reversal that passed through
			c.after = append(c.after, todo{tell: m})
		}
		return
	}
	verdict := verdictOf(m.Code)
	switch verdict {
	case reversal.Done:
		c.happen(p, payment.ReversalAccepted{Code: m.Code})
	case reversal.Later, reversal.SignOn:
		c.happen(p, payment.ReversalPutOff{Code: m.Code})
		c.queue.PutOff(p.id, verdict, c.w.now)
	case reversal.Refused:
		c.happen(p, payment.ReversalRefused{Code: m.Code, Cause: "refused"})
	}
}

// verdictOf is what the built-in profiles make of a code.
func verdictOf(code string) reversal.Verdict {
	switch {
	case code == "00" || code == "12" || code == "25":
		return reversal.Done
	case slices.Contains(putOffCodes[:], code):
		return reversal.Later
	case slices.Contains(signOnCodes[:], code):
		return reversal.SignOn
	}
	return reversal.Refused
}
