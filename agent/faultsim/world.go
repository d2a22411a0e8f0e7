package faultsim

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// instant is a point on the world's clock, counted from its beginning.
type instant = time.Duration

// Options say which run it is. The zero value of all but Depth, Seed and Sales will do.
type Options struct {
	Depth     Depth
	Seed      uint64
	Sales     int
	Faults    Set           // which may strike; a run draws its own rates
	FaultsMax int           // no fault strikes after so many; 0: no limit
	Plant     Defect        // a defect put in on purpose, to see it caught
	Dir       string        // for Real: an empty directory, best in memory
	Out       io.Writer     // the transcript, one line an event; nil: none
	Days      time.Duration // how long what is owed may take once everything works; 0: 3 days
}

// Result is what a run came to.
type Result struct {
	Options    Options
	Violations []string // empty: the promise was kept
	Hash       uint64   // of everything that happened
	Tally
}

// Tally counts what happened, in one run or in many.
type Tally struct {
	Sales, Receipts, Debits uint64 // rung up; with a receipt at the end; with a debit at the end
	Requests, Reversals     uint64 // that left
	Told                    [toldCount]uint64
	Stuck                   uint64 // shown to a person at the end, or closed by one
	Window                  uint64 // receipt in the hand when the power went, before it was on file
	Orphans, Lost           uint64 // debit without receipt; receipt without debit
	Events, Lives           uint64
	Virtual                 time.Duration
	Faults                  [faultCount]uint64
}

// Add adds another run's.
func (t *Tally) Add(o *Tally) {
	t.Sales += o.Sales
	t.Receipts += o.Receipts
	t.Debits += o.Debits
	t.Requests += o.Requests
	t.Reversals += o.Reversals
	for i := range t.Told {
		t.Told[i] += o.Told[i]
	}
	t.Stuck += o.Stuck
	t.Window += o.Window
	t.Orphans += o.Orphans
	t.Lost += o.Lost
	t.Events += o.Events
	t.Lives += o.Lives
	t.Virtual += o.Virtual
	for i := range t.Faults {
		t.Faults[i] += o.Faults[i]
	}
}

// world is one shop with its tills, its terminal, its line and its bank. It owns the only clock and
// the only source of chance.
type world struct {
	o      Options
	chance *rand.Rand
	pcg    rand.PCG
	now    instant
	heap   heap
	rates  [faultCount]uint32
	struck int
	tally  Tally
	hash   uint64

	terminal machine
	on       bool // it has power
	macs     bool // approvals of its bank carry a MAC
	life     uint32
	wakeAt   instant // the earliest wake that is in the heap; 0: none
	mishapAt instant // the next throw of the dice

	line  line
	bank  bank
	tills []till
	sales []sale // by number; 0 is nobody's
	power power
	audit auditor
	calm  bool // all sales are rung up: nothing goes wrong any more
	left  int  // sales still to ring up
	speak bool
}

// hit says whether a fault strikes now, and counts it.
func (w *world) hit(f Fault) bool { return w.rolls(f) && w.strike(f) }

// rolls throws the dice.
func (w *world) rolls(f Fault) bool {
	return w.rates[f] != 0 && uint32(w.chance.Uint64()>>32)%rateOf < w.rates[f]
}

// strike is hit without the dice.
func (w *world) strike(f Fault) bool {
	if w.calm || w.rates[f] == 0 || w.o.FaultsMax > 0 && w.struck >= w.o.FaultsMax {
		return false
	}
	w.struck++
	w.tally.Faults[f]++
	return true
}

// between is a time span from min to max.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.chance.Uint64()>>1)%(most-least)
}

// oneIn is true once in n times.
func (w *world) oneIn(n uint64) bool { return w.chance.Uint64()>>8%n == 0 }

// drawRates makes up this run's weather: of each fault nothing, little, some or much.
func (w *world) drawRates() {
	for f := range w.rates {
		share := [...]uint32{0, 0, 20, 20, 5, 1}[w.chance.IntN(6)]
		if share != 0 && w.o.Faults.Has(Fault(f)) {
			w.rates[f] = max(1, rates[f]/share)
		}
	}
}

// Run plays one run to its end.
func Run(o Options) (Result, error) {
	w := &world{o: o, left: o.Sales, speak: o.Out != nil, hash: 14695981039346656037}
	w.pcg.Seed(o.Seed, 0x9e3779b97f4a7c15)
	w.chance = rand.New(&w.pcg)
	w.drawRates()
	w.sales = make([]sale, 1, o.Sales+1)
	w.bank.books = make([]account, o.Sales+1)
	w.audit.w = w
	w.openShop(1 + w.chance.IntN(2))
	var err error
	if w.terminal, err = newMachine(w); err != nil {
		return Result{}, err
	}
	defer w.terminal.close()
	w.powerUp()
	w.play()
	w.audit.end()
	w.tally.Virtual = w.now
	w.tally.Sales = uint64(len(w.sales) - 1)
	return Result{Options: o, Violations: w.audit.violations, Hash: w.hash, Tally: w.tally}, nil
}

// runMax is longer than any run lasts, however often the host is away for days.
const runMax = 2 * 365 * 24 * time.Hour

// eventsMax is a hundred times as many events as a run takes.
func eventsMax(sales int) uint64 { return 100_000 + 2000*uint64(sales) }

// play takes one event after the other until nothing more can happen.
func (w *world) play() {
	days := w.o.Days
	if days == 0 {
		days = 3 * 24 * time.Hour
	}
	var calmAt instant
	for len(w.heap.events) > 0 && len(w.audit.violations) == 0 {
		if !w.calm && w.left == 0 && w.idle() {
			w.becomeCalm()
			calmAt = w.now
		}
		if w.now > runMax || w.tally.Events > eventsMax(w.o.Sales) {
			w.audit.fail("the shop stands still, or runs in circles, with %d sales to go", w.left)
			return
		}
		if w.calm && w.settled() {
			return
		}
		if w.calm && w.now > calmAt+days {
			w.audit.fail("not settled %s after everything works again: power %t, open %v",
				days, w.on, w.terminal.open())
			return
		}
		e := w.heap.pop()
		w.now = e.at
		w.tally.Events++
		w.happen(&e)
	}
}

// happen lets one event happen.
func (w *world) happen(e *event) {
	switch e.what {
	case tillActs:
		w.tillActs(&w.tills[e.till], e.tag)
	case appTimeUp:
		w.appTimeUp(&w.tills[e.till], e.tag)
	case appLeaves:
		w.appLeaves(&w.tills[e.till], e.tag)
	case answerTaken:
		w.answerTaken(e)
	case toBank:
		w.bankHears(e.m, e.gen)
	case toTerminal:
		w.terminalHears(e.m, e.gen)
	case bankSpeaks:
		w.bankSpeaks(e.m, e.gen)
	case lineRedial:
		w.redial(uint32(e.tag))
	case lineCut:
		w.cut(e.gen)
	case lineNever:
		w.neverLeft(e)
	case terminalWakes:
		w.wakes(e.at)
	case terminalStarts:
		w.powerUp()
	case mishap:
		w.mishap()
	case personActs:
		w.personActs(uint32(e.tag))
	}
}

// wakes gives the terminal the step it asked for.
func (w *world) wakes(at instant) {
	if at != w.wakeAt {
		return // an earlier one came in between
	}
	w.wakeAt = 0
	if !w.on {
		return
	}
	if next, ok := w.terminal.wake(); ok && next <= w.now {
		w.alive(w.terminal.tick)
	}
	w.setWake()
}

// setWake keeps one wake in the heap that is early enough.
func (w *world) setWake() {
	if !w.on {
		return
	}
	next, ok := w.terminal.wake()
	if !ok {
		return
	}
	next = max(next, w.now+1)
	if w.wakeAt != 0 && w.wakeAt > w.now && w.wakeAt <= next {
		return
	}
	w.wakeAt = next
	w.at(next, event{what: terminalWakes})
}

// later puts an event on the heap.
func (w *world) later(in time.Duration, e event) { w.at(w.now+max(in, 1), e) }

func (w *world) at(at instant, e event) {
	e.at = at
	w.heap.push(e)
}

// note mixes what happened into the run's hash, and writes its line.
func (w *world) note(who, what string, m *Message) {
	h := w.hash
	h = (h ^ uint64(w.now)) * 1099511628211
	h = (h ^ uint64(m.Sale)<<20 ^ uint64(m.STAN) ^ uint64(m.Kind)<<60) * 1099511628211
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 1099511628211
	}
	for i := range len(m.Code) {
		h = (h ^ uint64(m.Code[i])) * 1099511628211
	}
	w.hash = h
	if w.speak {
		fmt.Fprintf(w.o.Out, "%16.6f  %-8s  %-28s %s\n", w.now.Seconds(), who, what, m)
	}
}

var nothing = &Message{}
