package faultsim

import (
	"fmt"
	"time"
)

// Kinds of outcome a till is told.
const (
	toldApproved = iota
	toldDeclined
	toldUnknown
	toldNothing // nothing was sent
	toldOther
	toldCount
)

// ToldNames name Tally.Told.
var ToldNames = [toldCount]string{"approved", "declined", "unknown", "not sent", "other"}

// sale is what a bystander saw of one sale.
type sale struct {
	till      uint8
	stan      uint32
	sent      uint8 // requests that may have left and were not called back
	reversals uint32
	sentLife  uint32 // the life of the terminal that sent the request
	printed   bool   // the customer has the receipt
	printedAt instant
	confirmed bool    // its app was told so: on file, whatever comes
	voided    bool    // the app took it back itself
	unknown   bool    // the till was told that nobody knows
	answered  bool    // a true answer to the request has reached the terminal
	declined  bool    // the till was told no
	undone    bool    // a true answer that settles its reversal has reached the terminal
	byHand    bool    // a person closed it
	replayed  instant // when a person last sent its reversal again
	window    bool    // power went between receipt and journal
}

// valid: the customer walks out with the goods.
func (s *sale) valid() bool { return s.printed && !s.voided }

// auditor watches, and says what must not be. It sees frames and receipts and, like any person, the
// list of what is open; it never looks into the terminal.
type auditor struct {
	w          *world
	violations []string
	flying     []inFlight // the reversal of each till that waits for its answer
}

type inFlight struct {
	sale      uint32
	till      uint8
	awaited   instant
	gen, life uint32
}

// violationsMax: a run that has gone wrong need not say so a thousand times.
const violationsMax = 20

func (a *auditor) fail(format string, args ...any) {
	if len(a.violations) < violationsMax {
		a.violations = append(a.violations,
			fmt.Sprintf("%.6f: ", a.w.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// strict: the comparison's clients keep no rules; of them only the books are compared.
func (a *auditor) strict() bool { return a.w.o.Depth == Core || a.w.o.Depth == Real }

// sends: a frame may have left.
func (a *auditor) sends(m *Message) {
	switch m.Kind {
	case Sale:
		a.sendsSale(m)
	case Reversal:
		a.sendsReversal(m)
	case Settle:
		if s := a.doubtful(m.Till); s != 0 && a.strict() {
			a.fail("settlement of till %d while the reversal of sale %d is owed", m.Till+1, s)
		}
	case SaleAnswer, ReversalAnswer, SignOn, SignOnAnswer, SettleAnswer, Echo, EchoAnswer:
	}
}

func (a *auditor) sendsSale(m *Message) {
	a.w.tally.Requests++
	s := &a.w.sales[m.Sale]
	if a.strict() {
		if s.sent > 0 {
			a.fail("the request of sale %d is sent twice", m.Sale)
		}
		if older := a.doubtful(m.Till); older != 0 {
			a.fail("sale %d goes before the reversal of sale %d", m.Sale, older)
		}
	}
	s.sent++
	s.sentLife = a.w.life
}

func (a *auditor) sendsReversal(m *Message) {
	a.w.tally.Reversals++
	s := &a.w.sales[m.Sale]
	if a.strict() && m.Till != strangeTill {
		for _, f := range a.flying {
			if f.till == m.Till && f.gen == a.w.line.gen && f.life == a.w.life &&
				a.w.now < f.awaited {
				a.fail("the reversal of sale %d leaves while that of %d is in flight",
					m.Sale, f.sale)
			}
		}
		if s.reversals == 0 {
			if older := a.olderUntried(m); older != 0 {
				a.fail("the reversal of sale %d goes before that of sale %d", m.Sale, older)
			}
		}
	}
	s.reversals++
	a.lands(m.Till, 0)
	a.flying = append(a.flying, inFlight{
		sale: m.Sale, till: m.Till, awaited: a.w.now + hostTimeout, gen: a.w.line.gen,
		life: a.w.life,
	})
}

// lands: the reversal in flight of a till is answered; sale 0: whichever.
func (a *auditor) lands(till uint8, sale uint32) {
	kept := a.flying[:0]
	for _, f := range a.flying {
		if f.till != till || sale != 0 && f.sale != sale {
			kept = append(kept, f)
		}
	}
	a.flying = kept
}

// owed: as far as a bystander can know for sure, a reversal of this sale is owed.
func (a *auditor) owed(s *sale) bool {
	if s.replayed == a.w.now { // what was let in before it in the same round may go first
		return false
	}
	return s.sent > 0 && !s.printed && !s.declined && !s.undone && !s.byHand && !s.window &&
		(s.unknown || s.sentLife < a.w.life && !s.answered)
}

// lookBack is how many sales of a till are looked at: more than can be owed at once.
const lookBack = 64

// doubtful is the oldest sale of a till that is owed a reversal and is not stuck; 0: none.
func (a *auditor) doubtful(till uint8) uint32 {
	return a.find(till, uint32(len(a.w.sales)), func(s *sale) bool { return a.owed(s) })
}

// olderUntried is an older sale of the same till whose reversal has never been sent.
func (a *auditor) olderUntried(m *Message) uint32 {
	return a.find(m.Till, m.Sale, func(s *sale) bool { return a.owed(s) && s.reversals == 0 })
}

func (a *auditor) find(till uint8, below uint32, is func(*sale) bool) uint32 {
	first := uint32(max(1, int(below)-lookBack))
	for n := first; n < below; n++ {
		if s := &a.w.sales[n]; s.till == till && is(s) && !a.isStuck(n) {
			return n
		}
	}
	return 0
}

func (a *auditor) isStuck(sale uint32) bool {
	for _, o := range a.w.terminal.open() {
		if o.sale == sale {
			return o.stuck
		}
	}
	return false
}

// neverLeft: the terminal has heard that nothing left.
func (a *auditor) neverLeft(m *Message) {
	switch m.Kind {
	case Sale:
		a.w.sales[m.Sale].sent--
		a.w.tally.Requests--
	case Reversal:
		a.w.sales[m.Sale].reversals--
		a.w.tally.Reversals--
		a.lands(m.Till, m.Sale)
	case SaleAnswer, ReversalAnswer, SignOn, SignOnAnswer, Settle, SettleAnswer, Echo, EchoAnswer:
	}
}

// hears: an answer has reached the terminal, which is alive.
func (a *auditor) hears(m *Message) {
	if m.Garbled || m.BadMAC || m.Till == strangeTill || m.Sale == 0 {
		return
	}
	s := &a.w.sales[m.Sale]
	if s.stan != m.STAN {
		return
	}
	switch m.Kind {
	case SaleAnswer:
		s.answered = s.answered || m.Code != "09" && m.Code != "68"
	case ReversalAnswer:
		a.lands(m.Till, m.Sale)
		if m.Code == "00" || m.Code == "12" || m.Code == "25" {
			s.undone = true
		}
	case Sale, Reversal, SignOn, SignOnAnswer, Settle, SettleAnswer, Echo, EchoAnswer:
	}
}

func (a *auditor) lineLost() { a.flying = a.flying[:0] }

// tells: a till has an answer in its hands.
func (a *auditor) tells(m *Message) {
	if m.Kind != SaleAnswer {
		return
	}
	s := &a.w.sales[m.Sale]
	switch {
	case approves(m.Code):
		a.w.tally.Told[toldApproved]++
		if !a.w.bank.books[m.Sale].net() && a.strict() {
			a.fail("till %d is told that sale %d is approved, and no money moved",
				m.Till+1, m.Sale)
		}
	case m.Code == "68":
		a.w.tally.Told[toldUnknown]++
		s.unknown = true
	case a.w.bank.books[m.Sale].asked && m.Code == a.w.bank.books[m.Sale].code:
		a.w.tally.Told[toldDeclined]++
		s.declined = true
	case m.Code == "91" || m.Code == "96" || m.Code == "30":
		a.w.tally.Told[toldNothing]++
		if s.sent > 0 && a.w.bank.books[m.Sale].net() && a.strict() && !s.unknown {
			a.fail("till %d is told that nothing of sale %d was sent, and money moved",
				m.Till+1, m.Sale)
		}
	default:
		a.w.tally.Told[toldOther]++
	}
}

// strange: a till hears what it did not ask.
func (a *auditor) strange(t *till, m *Message) {
	if a.strict() && m.Kind == SaleAnswer && approves(m.Code) && t.sale == m.Sale &&
		t.doing == asking {
		a.fail("till %d hears an approval of sale %d that it can not take", t.n+1, m.Sale)
	}
}

// receipt: the customer has it.
func (a *auditor) receipt(sale uint32) {
	s := &a.w.sales[sale]
	if s.printed && a.strict() {
		a.fail("sale %d has two receipts", sale)
	}
	s.printed, s.printedAt = true, a.w.now
}

// died marks the receipts that the promise makes an exception of: printed, and the power gone
// before the terminal could have it on file. After a KILL that is the same moment, after a power
// cut the time a noted record waits for a commit; where the terminal was busy just then and took
// nothing in, that begins when it did. A sale that its app confirms is on file before.
func (a *auditor) died(d death) {
	a.flying = a.flying[:0]
	span := time.Duration(0)
	if !d.kill() || d.mid {
		span = linger
	}
	from, to := a.w.terminal.stalled()
	for n := max(1, len(a.w.sales)-lookBack); n < len(a.w.sales); n++ {
		s := &a.w.sales[n]
		taken := s.printedAt
		if from <= taken && taken <= to {
			taken = min(to, a.w.now)
		}
		if s.printed && !s.confirmed && a.w.now-taken <= span {
			s.window = true
		}
	}
}

// end closes the books: for every sale, receipt if and only if money moved.
func (a *auditor) end() {
	w := a.w
	stuck := map[uint32]bool{}
	for _, o := range w.terminal.open() {
		stuck[o.sale] = o.stuck
		if !o.stuck && a.strict() && len(a.violations) == 0 {
			a.fail("sale %d is still open", o.sale)
		}
	}
	for n := 1; n < len(w.sales); n++ {
		s, books := &w.sales[n], &w.bank.books[n]
		if s.valid() {
			w.tally.Receipts++
		}
		if books.net() {
			w.tally.Debits++
		}
		if stuck[uint32(n)] || s.byHand {
			w.tally.Stuck++
			if s.valid() && !s.window && a.strict() {
				a.fail("sale %d: the customer has a receipt, and it is being reversed", n)
			}
			continue
		}
		if s.valid() == books.net() {
			continue
		}
		switch {
		case s.window && s.valid():
			w.tally.Window++
		case books.net():
			w.tally.Orphans++
			if a.strict() {
				a.fail("sale %d: debited, and nobody has a receipt: an orphan", n)
			}
		default:
			w.tally.Lost++
			if a.strict() {
				a.fail("sale %d: the customer has a receipt, and no money moved", n)
			}
		}
	}
}
