package faultsim

import "time"

// death is how a life of the terminal ends. It is thrown out of whatever was being done.
type death struct {
	cause Fault
	mid   bool // in the middle of a write: of what was being written nobody knows
}

// kill: what was handed to the system stays. Otherwise the power is gone, and with it whatever was
// not synced.
func (d death) kill() bool {
	return d.cause == Kill || d.cause == KillMidRound || d.cause == WriteFailed ||
		d.cause == WriteFailedLanded
}

// power is what is going to happen to it.
type power struct {
	dieIn int   // steps until the terminal dies; 0: it does not
	how   Fault // then
	write Fault // what happens to the next write; 0: nothing
}

// step is a moment at which a life may end: before and after everything that shows outside.
func (w *world) step() {
	if w.power.dieIn == 0 {
		return
	}
	if w.power.dieIn--; w.power.dieIn == 0 && w.strike(w.power.how) {
		panic(death{cause: w.power.how})
	}
}

// writes takes what was planned for the next write; false: nothing strikes.
func (w *world) writes() (f Fault, strikes bool) {
	f = w.power.write
	w.power.write = 0
	return f, f != 0 && w.strike(f)
}

// alive lets the terminal do something, to the end or to its death.
func (w *world) alive(f func()) {
	defer func() {
		if r := recover(); r != nil {
			d, ok := r.(death)
			if !ok {
				panic(r)
			}
			w.die(d)
		}
	}()
	f()
	w.setWake()
}

// die takes the power away.
func (w *world) die(d death) {
	w.note("power", d.cause.String(), nothing)
	w.on = false
	w.power = power{}
	w.wakeAt = 0
	w.audit.died(d)
	w.line.up = false
	w.terminal.crash(d)
	for i := range w.tills {
		w.tillLosesTerminal(&w.tills[i], !d.kill())
	}
	pause := w.between(100*time.Millisecond, 5*time.Second)
	if !d.kill() {
		pause = w.between(2*time.Second, 10*time.Minute)
		if w.oneIn(50) {
			pause = w.between(time.Hour, 40*time.Hour)
		}
	}
	w.later(pause, event{what: terminalStarts})
}

// powerUp begins a life.
func (w *world) powerUp() {
	w.on = true
	w.life++
	w.tally.Lives++
	w.note("power", "is on", nothing)
	w.alive(func() {
		if err := w.terminal.start(); err != nil {
			w.audit.fail("the terminal does not start: %v", err)
		}
	})
	if !w.on {
		return
	}
	w.later(w.between(50*time.Millisecond, time.Second), event{what: lineRedial})
	for i := range w.tills {
		t := &w.tills[i]
		w.turns(t, t.doing, w.between(100*time.Millisecond, 5*time.Second))
	}
	if w.mishapAt <= w.now {
		w.scheduleMishap()
	}
}

// mishapPause lies between two throws of the dice about what comes out of the blue, on average.
const mishapPause = 5 * time.Second

func (w *world) scheduleMishap() {
	pause := w.between(0, 2*mishapPause)
	if quiet := w.line.awayUntil - w.now; quiet > time.Minute {
		pause += quiet / 10 // nothing much happens in a shop without a line
	}
	w.mishapAt = w.now + pause
	w.later(pause, event{what: mishap})
}

// mishap throws the dice.
func (w *world) mishap() {
	if w.calm || !w.on {
		return // powerUp begins again
	}
	w.scheduleMishap()
	for _, f := range [...]Fault{KillMidRound, PowerCutMidRound} {
		if w.power.dieIn == 0 && w.rolls(f) {
			w.power.dieIn, w.power.how = 1+w.chance.IntN(8), f
		}
	}
	for _, f := range [...]Fault{PowerCutMidWrite, WriteFailed, WriteFailedLanded} {
		if w.power.write == 0 && w.rolls(f) {
			w.power.write = f
		}
	}
	for _, f := range [...]Fault{Kill, PowerCut} {
		if w.on && w.hit(f) {
			w.die(death{cause: f})
		}
	}
	for _, f := range [...]Fault{ClockJump, Clock1970, DiskFull} {
		if w.hit(f) {
			w.note("power", f.String(), nothing)
			w.terminal.suffers(f)
		}
	}
	w.lineMishap()
	if w.on && w.rates[PersonReplays]+w.rates[PersonResolves] > 0 {
		w.personLooks()
	}
}

// personLooks: somebody looks at what is stuck, now and then.
func (w *world) personLooks() {
	for _, o := range w.terminal.open() {
		if !o.stuck {
			continue
		}
		switch {
		case w.hit(PersonReplays):
			w.replays(o.sale)
		case w.hit(PersonResolves):
			w.resolveByHand(o.sale)
		}
		if !w.on {
			return
		}
	}
}

// replays: a person sends a stuck reversal again.
func (w *world) replays(sale uint32) {
	w.note("person", "replays", &Message{Kind: Sale, Sale: sale})
	w.sales[sale].replayed = w.now
	w.alive(func() { w.terminal.replay(sale) })
}

// resolveByHand: a person agrees with the bank on what to do, and closes the payment. Order: the
// bank first, so that the books are right whatever happens next.
func (w *world) resolveByHand(sale uint32) {
	w.note("person", "resolves", &Message{Kind: Sale, Sale: sale})
	w.bank.byHand(sale)
	w.sales[sale].byHand = true
	w.alive(func() { w.terminal.resolve(sale) })
}

// becomeCalm is the end of all mishaps: from here on everything works.
func (w *world) becomeCalm() {
	w.note("stage", "calm", nothing)
	w.calm = true
	w.power = power{}
	w.line.awayUntil, w.line.silentUntil = 0, 0
	w.kick()
	w.later(time.Minute, event{what: personActs})
}

// personActs: in the end a person replays three of four stuck payments, and leaves the fourth to
// be seen on the list.
func (w *world) personActs(uint32) {
	if w.on {
		for _, o := range w.terminal.open() {
			if o.stuck && o.sale%4 != 3 && w.on {
				w.replays(o.sale)
			}
		}
	}
	if !w.settled() {
		w.later(10*time.Minute, event{what: personActs})
	}
}

// settled: nothing is under way, and nothing is owed but to a person.
func (w *world) settled() bool {
	if !w.on || w.line.flying > 0 || !w.idle() {
		return false
	}
	for _, o := range w.terminal.open() {
		if !o.stuck || o.sale%4 != 3 {
			return false
		}
	}
	return true
}
