package faultsim

import "time"

// doing is what a till is at.
type doing uint8

const (
	resting    doing = iota
	asking           // has sent a sale and waits for its answer
	confirming       // has the approval and finishes the sale
	voiding          // has sent a reversal of its own
	closing          // has sent a settlement
)

// till is a payment app with a terminal number of its own. It keeps in its own memory, through a
// power cut too, which sale it is taking back.
type till struct {
	n        uint8
	vain     uint8 // sales in a row of which nothing was sent
	stan     uint32
	doing    doing
	epoch    uint64 // changes with doing: an event of before is no longer meant
	online   bool   // has a connection to the terminal
	conn     uint64 // counts connections
	question *Message
	sale     uint32 // the one it is at
	voids    uint32 // the sale it takes back; 0: none
	repeat   bool   // it has asked for that before
	tries    int
}

// tillsMax is how many tills there are on a terminal at most.
const tillsMax = 2

// stansLeft is how far below the wrap a till begins.
const stansLeft = 50

// openShop puts up the tills: one, or two on one terminal.
func (w *world) openShop(tills int) {
	for n := range tills {
		stan := uint32(w.chance.IntN(900_000))
		if w.oneIn(4) {
			stan = 999_999 - uint32(w.chance.IntN(stansLeft))
		}
		w.tills = append(w.tills, till{n: uint8(n), stan: stan})
	}
}

// idle: no till is at anything, or has anything left to take back.
func (w *world) idle() bool {
	for i := range w.tills {
		if w.tills[i].doing != resting || w.tills[i].voids != 0 {
			return false
		}
	}
	return true
}

// turns a till to something else, and says when it acts next.
func (w *world) turns(t *till, to doing, in time.Duration) {
	t.doing = to
	t.epoch++
	if in > 0 {
		w.later(in, event{what: tillActs, till: t.n, tag: t.epoch})
	}
}

// rests until the next customer comes.
func (w *world) rests(t *till) {
	pause := w.between(200*time.Millisecond, 8*time.Second)
	if w.oneIn(30) {
		pause = w.between(10*time.Second, 10*time.Minute)
	}
	if t.vain > 1 { // out of order, says a sign at the till
		pause += w.between(0, time.Minute<<min(t.vain, 6))
	}
	w.turns(t, resting, pause)
}

// tillActs is a till's turn.
func (w *world) tillActs(t *till, epoch uint64) {
	if epoch != t.epoch {
		return
	}
	if !w.on {
		return // powerUp wakes it
	}
	if !t.online {
		t.online = true
		t.conn++
	}
	switch t.doing {
	case resting:
		w.nextCustomer(t)
	case asking, voiding, closing: // reconnected, and asks again
		w.asks(t, t.question)
	case confirming:
		w.finishes(t)
	}
}

func (w *world) nextCustomer(t *till) {
	switch {
	case t.voids != 0:
		m := &Message{
			Kind: Reversal, Till: t.n, STAN: w.sales[t.voids].stan, Sale: t.voids, Repeat: t.repeat,
		}
		t.repeat = true
		w.turns(t, voiding, 0)
		w.asks(t, m)
	case w.left == 0:
	case w.hit(Settlement):
		w.turns(t, closing, 0)
		w.asks(t, &Message{Kind: Settle, Till: t.n, STAN: w.nextSTAN(t)})
	default:
		w.left--
		m := &Message{
			Kind: Sale, Till: t.n, STAN: w.nextSTAN(t), Sale: uint32(len(w.sales)),
			Confirms: (w.o.Depth == Core || w.o.Depth == Real) && w.oneIn(4),
		}
		w.sales = append(w.sales, sale{till: t.n, stan: m.STAN})
		t.sale, t.tries = m.Sale, 0
		w.turns(t, asking, 0)
		w.asks(t, m)
	}
}

// nextSTAN counts, and after the last number begins again: it may meet one that is still open.
func (w *world) nextSTAN(t *till) uint32 {
	if w.hit(STANWrap) {
		for _, o := range w.terminal.open() {
			if s := &w.sales[o.sale]; s.till == t.n {
				return s.stan
			}
		}
		t.stan = 999_999
	}
	if t.stan++; t.stan > 999_999 {
		t.stan = 1
	}
	return t.stan
}

// asks sends a question to the terminal and waits for its answer, for as long as apps wait.
func (w *world) asks(t *till, m *Message) {
	t.question = m
	t.epoch++
	t.tries++
	w.later(w.between(35*time.Second, 100*time.Second),
		event{what: appTimeUp, till: t.n, tag: t.epoch})
	if w.hit(AppGone) {
		w.later(w.between(0, 40*time.Second), event{what: appLeaves, till: t.n, tag: t.epoch})
	}
	w.note("till", "asks", m)
	w.alive(func() { w.terminal.ask(t.n, m) })
}

// appTimeUp: no answer in an app's own time.
func (w *world) appTimeUp(t *till, epoch uint64) {
	if epoch != t.epoch {
		return
	}
	w.note("till", "gives up waiting", nothing)
	switch {
	case t.doing == confirming:
		w.turns(t, confirming, time.Second)
	case t.tries < 4 && (t.doing == voiding || w.hit(AppAsksAgain)):
		w.turns(t, t.doing, time.Second)
	case t.doing == asking && w.hit(AppReverses):
		w.takesBack(t, t.sale)
		w.rests(t)
	default:
		w.leaves(t)
	}
}

// appLeaves: the connection to an app ends while it waits.
func (w *world) appLeaves(t *till, epoch uint64) {
	if epoch == t.epoch && t.online {
		w.leaves(t)
	}
}

// leaves ends the connection. The app comes back, and asks again or has forgotten.
func (w *world) leaves(t *till) {
	w.note("till", "is gone", nothing)
	t.online = false
	n, conn := t.n, t.conn
	if w.on {
		w.alive(func() { w.terminal.gone(n) })
	}
	if conn == t.conn {
		w.comesBack(t)
	}
}

func (w *world) comesBack(t *till) {
	pause := w.between(100*time.Millisecond, 30*time.Second)
	switch {
	case t.doing == voiding && t.tries < 8, t.doing == confirming:
		w.turns(t, t.doing, pause)
	case t.doing == asking && !t.question.Confirms && w.hit(AppAsksAgain):
		w.turns(t, asking, pause)
	default:
		if t.doing == voiding { // a person looks after it
			t.voids, t.repeat = 0, false
		}
		w.rests(t)
	}
}

// tillLosesTerminal: the terminal is dead.
func (w *world) tillLosesTerminal(t *till) {
	t.online = false
	w.comesBack(t)
}

// takesBack: the app reverses a sale by itself. What receipt there is is torn up.
func (w *world) takesBack(t *till, sale uint32) {
	t.voids, t.repeat, t.tries = sale, false, 0
	w.sales[sale].voided = true
}

// taken is what became of an answer.
type taken uint8

const (
	delivered taken = iota + 1
	waits
	gone
)

// tell hands an answer of the terminal's to a till. ticket is 0 where nobody needs to know.
func (w *world) tell(n uint8, ticket uint64, m *Message) taken {
	w.step()
	t := &w.tills[n]
	if !t.online {
		return gone
	}
	if ticket != 0 && w.hit(AppSlow) {
		e := event{
			what: answerTaken, till: n, tag: ticket, m: m, life: w.life, gen: uint32(t.conn),
			ok: !w.oneIn(4),
		}
		w.fly(w.between(time.Millisecond, 5*time.Second), e)
		return waits
	}
	w.takes(t, m)
	w.step()
	return delivered
}

// answerTaken is the end of an answer that had to wait.
func (w *world) answerTaken(e *event) {
	w.line.flying--
	t := &w.tills[e.till]
	if !w.on || e.life != w.life {
		return
	}
	ok := e.ok && t.online && uint64(e.gen) == t.conn
	if ok {
		w.takes(t, e.m)
	}
	w.alive(func() { w.terminal.told(e.tag, ok) })
	if !ok && t.online && uint64(e.gen) == t.conn {
		w.leaves(t)
	}
}

// takes is an answer in a till's hands.
func (w *world) takes(t *till, m *Message) {
	w.note("till", "hears", m)
	q := t.question
	if q == nil || m.Kind != q.Kind.answer() || m.Sale != q.Sale || m.STAN != q.STAN {
		w.audit.strange(t, m)
		return
	}
	w.audit.tells(m)
	t.vain = min(t.vain, 100)
	if t.vain++; m.Code != "91" {
		t.vain = 0
	}
	switch {
	case t.doing == asking && approves(m.Code) && q.Confirms:
		pause := w.between(50*time.Millisecond, 20*time.Second)
		if w.hit(AppWalksAway) {
			w.rests(t)
			return
		}
		w.turns(t, confirming, pause)
	case t.doing == asking:
		if approves(m.Code) {
			w.prints(t, m.Sale)
		}
		w.rests(t)
	case t.doing == voiding:
		if m.Code != "91" && m.Code != "96" && m.Code != "30" { // otherwise: nothing was sent
			t.voids, t.repeat = 0, false
		}
		w.rests(t)
	case t.doing == closing:
		w.rests(t)
	}
}

// approves: the codes of a bank that says yes.
func approves(code string) bool { return code == "00" || code == "11" }

// prints the receipt; now and then the card refuses what the bank has approved, and the app takes
// the sale back.
func (w *world) prints(t *till, sale uint32) {
	w.audit.receipt(sale)
	if w.hit(AppReverses) {
		w.takesBack(t, sale)
	}
}

// finishes a sale that the app confirms. An app that does not know whether its confirm came
// through asks how the sale stands first.
func (w *world) finishes(t *till) {
	t.epoch++
	w.later(w.between(2*time.Second, 20*time.Second),
		event{what: appTimeUp, till: t.n, tag: t.epoch})
	switch w.terminal.look(t.sale) {
	case confirmed:
		w.hearsConfirmed(t, t.sale)
	case approvedOnly:
		w.note("till", "confirms", t.question)
		w.alive(func() { w.terminal.confirm(t.sale) })
	case notDone:
		w.rests(t)
	}
}

// confirmed is the terminal's word that a sale is finished.
func (w *world) confirmed(n uint8, sale uint32) {
	w.step()
	w.hearsConfirmed(&w.tills[n], sale)
	w.step()
}

func (w *world) hearsConfirmed(t *till, sale uint32) {
	if t.online && t.doing == confirming && t.sale == sale {
		w.note("till", "hears it is confirmed", t.question)
		w.sales[sale].confirmed = true
		w.prints(t, sale)
		w.rests(t)
	}
}
