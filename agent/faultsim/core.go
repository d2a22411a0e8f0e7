package faultsim

import (
	"slices"
	"strconv"

	"reversald/agent/payment"
	"reversald/agent/reversal"
)

// core drives the product's pure core: payment.Decide and Apply, and reversal.Queue. The round and
// the matching are written after the agent's, and simpler: one line, one dialect without MACs of
// its own (a wrong one is marked on the message), no sign-on.
type core struct {
	w        *world
	queue    *reversal.Queue
	terminal [2]string // names of the tills, for the queue
	lineIsUp bool
	nextID   uint64
	bySTAN   map[uint32]*held
	byID     map[uint64]*held
	waiting  []waiter
	underway []delivery
	ticket   uint64
	disk     coreDisk

	opens  []*held // not closed, oldest first
	recent []*held // closed, oldest first

	drafts []draft
	urgent bool
	after  []todo
	again  []later
}

// recentMax is how many closed payments stay in memory.
const recentMax = 64

// held is one payment in memory, and what the disk has of it.
type held struct {
	id       uint64
	sale     uint32
	stan     uint32
	till     uint8
	live     payment.State
	synced   payment.State // what its synced records add up to
	asker    bool          // its till waits for the answer
	reverser *Message      // so does it for its own reversal
	code     string        // of the bank's answer
	deadline instant
}

type draft struct {
	p *held
	r payment.Record
}

type todo struct {
	p      *held
	effect payment.Effect
	tell   *Message // an answer of the terminal's own
}

type later struct {
	p *held
	e payment.Event
}

type waiter struct {
	m     *Message
	until instant
}

type delivery struct {
	ticket uint64
	p      *held
}

func newCore(w *world) *core {
	c := &core{w: w, terminal: [2]string{"1", "2"}}
	c.reset()
	return c
}

// reset is what a process begins with.
func (c *core) reset() {
	schedule := reversal.DefaultSchedule()
	c.queue = reversal.NewQueue(schedule)
	c.lineIsUp = false
	c.bySTAN, c.byID = map[uint32]*held{}, map[uint64]*held{}
	c.waiting, c.underway = nil, nil
	c.drafts, c.urgent, c.after, c.again = nil, false, nil, nil
}

func (*core) close()        {}
func (*core) suffers(Fault) {}

// start folds what the disk has, and raises its doubts.
func (c *core) start() error {
	known := append(c.opens, c.recent...)
	c.opens, c.recent = nil, nil
	c.reset()
	slices.SortFunc(known, func(a, b *held) int { return int(a.id) - int(b.id) })
	for _, p := range known {
		if p.synced.Phase == 0 {
			continue // not on file
		}
		p.live = p.synced
		p.asker, p.reverser, p.deadline = false, nil, 0
		c.add(p)
		if !p.live.Phase.Open() {
			continue
		}
		if p.live.Phase == payment.Doubted {
			c.queue.Owe(p.id, c.terminal[p.till], p.live.Attempts, c.w.now)
		}
		if c.w.o.Plant != TrustPowerUp {
			c.happen(p, payment.PowerUp{})
		}
	}
	c.round()
	return nil
}

func (c *core) add(p *held) {
	c.byID[p.id] = p
	c.bySTAN[key(p.till, p.stan)] = p
	if p.live.Phase.Open() || p.live.Phase == 0 {
		c.opens = append(c.opens, p)
		return
	}
	c.recent = append(c.recent, p)
	c.forget()
}

func (c *core) forget() {
	for len(c.recent) > recentMax {
		p := c.recent[0]
		c.recent = c.recent[1:]
		delete(c.byID, p.id)
		if k := key(p.till, p.stan); c.bySTAN[k] == p {
			delete(c.bySTAN, k)
		}
	}
}

// key is what answers are matched by: terminal and trace number.
func key(till uint8, stan uint32) uint32 { return uint32(till)<<20 | stan }

// happen decides, applies, and keeps what must be written and done.
func (c *core) happen(p *held, e payment.Event) {
	d := payment.Decide(p.live, e)
	for _, effect := range d.After {
		c.after = append(c.after, todo{p: p, effect: effect})
	}
	if d.Record == (payment.Record{}) {
		return
	}
	was := p.live.Phase
	p.live = payment.Apply(p.live, d.Record)
	if err := payment.Invariant(p.live); err != nil {
		c.w.audit.fail("sale %d: %v", p.sale, err)
	}
	c.drafts = append(c.drafts, draft{p, d.Record})
	c.urgent = c.urgent || !d.Soon
	c.moved(p, was)
	c.follow(p, was, d.Record)
}

// moved keeps the lists after a payment went from one phase to another.
func (c *core) moved(p *held, was payment.Phase) {
	wasOpen := was.Open() || was == 0
	same := func(o *held) bool { return o == p }
	switch is := p.live.Phase.Open(); {
	case wasOpen && !is:
		c.opens = slices.DeleteFunc(c.opens, same)
		c.recent = append(c.recent, p)
		p.deadline = 0
		c.forget()
	case !wasOpen && is:
		c.recent = slices.DeleteFunc(c.recent, same)
		c.opens = append(c.opens, p)
		slices.SortFunc(c.opens, func(a, b *held) int { return int(a.id) - int(b.id) })
	}
}

// follow keeps queue and deadlines in step with a payment's phase.
func (c *core) follow(p *held, was payment.Phase, r payment.Record) {
	now := c.w.now
	if p.live.Phase == payment.Doubted {
		p.deadline = 0
		c.queue.Owe(p.id, c.terminal[p.till], p.live.Attempts, now)
	} else if was == payment.Doubted {
		c.queue.Settle(p.id)
	}
	switch r.Kind {
	case payment.RecordAsked:
		p.deadline = now + hostTimeout
	case payment.RecordApproved:
		p.deadline = 0
		if p.live.ConfirmBy == payment.ByApp {
			p.deadline = now + confirmTimeout
		}
	case payment.RecordReversalSent:
		c.queue.Sent(p.id, r.Attempt, now)
	case payment.RecordReversalUnsent:
		c.queue.NeverLeft(p.id, now)
	case payment.RecordReplayed:
		c.queue.Replay(p.id, now)
	case payment.RecordUnsent, payment.RecordDeclined, payment.RecordConfirmed,
		payment.RecordDoubted, payment.RecordReversalAnswered, payment.RecordReversed,
		payment.RecordHeld, payment.RecordReleased, payment.RecordCommand, // nobody does so here
		payment.RecordStuck, payment.RecordResolved, payment.RecordLateAnswer,
		payment.RecordStray:
	}
}

// round: decide all, write once, then do, and again for what doing brought about.
func (c *core) round() {
	for {
		c.expire()
		c.dispatch()
		if c.w.o.Plant == SendBeforeWrite {
			c.perform()
			c.disk.write(c)
		} else {
			c.disk.write(c)
			c.perform()
		}
		if len(c.again) == 0 && len(c.after) == 0 {
			return
		}
		events := c.again
		c.again = nil
		for _, h := range events {
			c.happen(h.p, h.e)
		}
	}
}

func (c *core) expire() {
	for _, p := range slices.Clone(c.opens) {
		if p.deadline == 0 || p.deadline > c.w.now {
			continue
		}
		p.deadline = 0
		if c.w.o.Plant == SendAgain && p.live.Phase == payment.Asked {
			p.deadline = c.w.now + hostTimeout
			c.after = append(c.after, todo{p: p, effect: payment.SendRequest{}})
			continue
		}
		c.happen(p, payment.TimeUp{})
	}
	c.queue.Expire(c.w.now)
	c.waiting = slices.DeleteFunc(c.waiting, func(v waiter) bool {
		if v.until > c.w.now {
			return false
		}
		c.local(v.m, "91")
		return true
	})
}

// dispatch sends what is owed, and then lets new payments in.
func (c *core) dispatch() {
	for _, id := range c.next() {
		p := c.byID[id]
		if p == nil {
			c.queue.Settle(id)
			continue
		}
		if c.w.o.Plant == DropAfterThree && p.live.Attempts >= 3 {
			c.queue.Settle(id)
			c.opens = slices.DeleteFunc(c.opens, func(o *held) bool { return o == p })
			continue
		}
		c.happen(p, payment.ReversalDue{})
	}
	for i := 0; i < len(c.waiting); {
		if v := c.waiting[i]; c.clear(v.m) {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			c.leave(v.m)
			continue
		}
		i++
	}
}

// next asks the queue, or plays one of the defects about order.
func (c *core) next() []uint64 {
	if !c.lineIsUp || c.queue.Len() == 0 {
		return nil
	}
	items := c.queue.Items()
	switch c.w.o.Plant {
	case YoungestFirst:
		for _, it := range slices.Backward(items) {
			busy := slices.ContainsFunc(items, func(o reversal.Item) bool {
				return o.InFlight && o.Terminal == it.Terminal
			})
			if !busy && it.Due <= c.w.now {
				return []uint64{it.ID}
			}
		}
		return nil
	case TwoInFlight:
		var all []uint64
		for _, it := range items {
			if !it.InFlight && it.Due <= c.w.now {
				all = append(all, it.ID)
			}
		}
		return all
	case NoDefect, SendBeforeWrite, LateApprovalHeals, MatchBySTANAlone, DropAfterThree, SendAgain,
		TrustPowerUp, SalesFirst, ForgetStuck, DeafBank, LyingDisk, DoubleLine, ClearCard,
		defectCount:
	}
	return c.queue.Next(c.w.now)
}

func (c *core) clear(m *Message) bool {
	return c.lineIsUp && (c.w.o.Plant == SalesFirst || !c.queue.Owes(c.terminal[m.Till]))
}

func (c *core) replay(sale uint32) {
	c.order(sale, payment.Replay{By: "person", Why: strconv.Itoa(int(sale))})
}

func (c *core) resolve(sale uint32) { c.order(sale, payment.Resolve{By: "person", Why: "agreed"}) }

func (c *core) order(sale uint32, e payment.Event) {
	for _, p := range slices.Clone(c.opens) {
		if p.sale == sale {
			c.happen(p, e)
		}
	}
	c.round()
}

func (c *core) open() []opened {
	list := make([]opened, 0, len(c.opens))
	for _, p := range c.opens {
		stuck := p.live.Phase == payment.Stuck
		if stuck && c.w.o.Plant == ForgetStuck || !p.live.Phase.Open() {
			continue
		}
		list = append(list, opened{sale: p.sale, stuck: stuck})
	}
	return list
}
