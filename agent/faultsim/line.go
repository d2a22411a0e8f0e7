package faultsim

import "time"

// line is what lies between terminal and bank: frames in both directions, and a connection that
// comes and goes. A frame that has left one connection may reach the bank after the next has
// begun; an answer only ever comes back over its own.
type line struct {
	up          bool
	gen         uint32 // counts connections
	awayUntil   instant
	silentUntil instant // the bank takes frames and says nothing
	flying      int     // frames and answers under way
}

// send hands a frame of the terminal's to the line. An error means that provably nothing left.
func (w *world) send(m *Message) error {
	w.step()
	if !w.line.up {
		return errDown
	}
	if w.hit(LineBusy) {
		w.note("line", "takes nothing", m)
		return errBusy
	}
	w.audit.sends(m)
	w.note("terminal", "sends", m)
	switch {
	case w.hit(NeverLeft):
		e := event{what: lineNever, m: m, gen: w.line.gen, life: w.life}
		w.later(w.between(time.Millisecond, time.Second), e)
	case w.hit(RequestHalf):
		w.later(w.between(time.Millisecond, 50*time.Millisecond),
			event{what: lineCut, gen: w.line.gen})
	case w.hit(RequestLost):
	default:
		w.carry(m)
	}
	w.step()
	return nil
}

// carry brings a frame to the bank, in time or not, once or twice, whole or not.
func (w *world) carry(m *Message) {
	delay := w.between(10*time.Millisecond, 150*time.Millisecond)
	switch {
	case w.hit(RequestLate):
		delay = w.between(5*time.Second, 3*time.Minute)
	case w.hit(RequestReordered):
		delay += w.between(0, time.Second)
	}
	if w.hit(RequestCorrupted) {
		garbled := *m
		garbled.Garbled = true
		m = &garbled
	}
	w.fly(delay, event{what: toBank, m: m, gen: w.line.gen})
	if w.hit(RequestTwice) {
		w.fly(delay+w.between(0, 20*time.Second), event{what: toBank, m: m, gen: w.line.gen})
	}
}

func (w *world) fly(in time.Duration, e event) {
	w.line.flying++
	w.later(in, e)
}

// neverLeft: the line took not one byte of a frame, says so, and ends.
func (w *world) neverLeft(e *event) {
	if w.on && e.life == w.life {
		w.note("line", "never left", e.m)
		w.audit.neverLeft(e.m)
		w.alive(func() { w.terminal.never(e.m) })
	}
	w.cut(e.gen)
}

// cut ends a connection.
func (w *world) cut(gen uint32) {
	if !w.line.up || gen != w.line.gen {
		return
	}
	w.line.up = false
	w.note("line", "is cut", nothing)
	w.audit.lineLost()
	if w.on {
		w.alive(w.terminal.lineLost)
	}
	w.later(w.between(100*time.Millisecond, 3*time.Second), event{what: lineRedial})
}

// redial tries to get a connection.
func (w *world) redial(uint32) {
	switch {
	case w.line.up || !w.on:
		return
	case w.now < w.line.awayUntil:
		w.later(w.line.awayUntil-w.now+w.between(0, 10*time.Second), event{what: lineRedial})
		return
	}
	w.line.up = true
	w.line.gen++
	w.note("line", "is up", nothing)
	w.alive(w.terminal.lineUp)
}

// kick is a redial that somebody wants now.
func (w *world) kick() {
	if !w.line.up && w.on && w.now >= w.line.awayUntil {
		w.later(w.between(10*time.Millisecond, 500*time.Millisecond), event{what: lineRedial})
	}
}

// drop ends a line that leads nowhere, as the terminal thinks.
func (w *world) drop() {
	w.later(time.Millisecond, event{what: lineCut, gen: w.line.gen})
}

func (w *world) lineMishap() {
	if w.hit(LineCut) {
		w.cut(w.line.gen)
	}
	if w.hit(HostAway) {
		w.hostLeaves(w.between(time.Second, 20*time.Minute))
	}
	if w.hit(HostAwayDays) {
		w.hostLeaves(w.between(20*time.Hour, 100*time.Hour))
	}
	if w.hit(HostSilent) {
		w.line.silentUntil = w.now + w.between(time.Second, 5*time.Minute)
		w.note("bank", "falls silent", nothing)
	}
	if w.hit(KeyChanged) {
		w.note("bank", "changes the key", nothing)
		w.terminal.suffers(KeyChanged)
		if w.oneIn(2) {
			w.cut(w.line.gen)
		}
	}
}

func (w *world) hostLeaves(away time.Duration) {
	w.note("bank", "is away", nothing)
	w.line.awayUntil = w.now + away
	w.cut(w.line.gen)
}

// answers sends an answer of the bank's over the connection its question came on.
func (w *world) answers(m *Message, gen uint32, in time.Duration) {
	if gen != w.line.gen || !w.line.up {
		return
	}
	in += w.between(10*time.Millisecond, 150*time.Millisecond)
	switch {
	case w.hit(AnswerLost):
		w.note("line", "loses", m)
		return
	case w.hit(AnswerHalf):
		w.later(in, event{what: lineCut, gen: gen})
		return
	case w.hit(AnswerLate):
		in += w.between(5*time.Second, 3*time.Minute)
	case w.hit(AnswerReordered):
		in += w.between(0, 2*time.Second)
	}
	if w.distorts(m, gen, in) {
		return
	}
	w.fly(in, event{what: toTerminal, m: m, gen: gen})
	if w.hit(AnswerTwice) {
		w.fly(in+w.between(0, 40*time.Second), event{what: toTerminal, m: m, gen: gen})
	}
}

// distorts sends something else instead of an answer, or in front of it; true when nothing true
// follows.
func (w *world) distorts(m *Message, gen uint32, in time.Duration) bool {
	bad := *m
	switch {
	case w.hit(AnswerCorrupted):
		bad.Garbled = true
	case w.hit(WrongSTAN):
		bad.STAN = 900_000 + w.chance.Uint32()%99_999
	case w.hit(WrongTerminal):
		bad.Till = strangeTill
	case w.macs && approves(m.Code) && m.Sale != 0 && w.hit(WrongMAC):
		bad.BadMAC = true
	case w.hit(WrongMTI):
		bad.Kind = [...]Kind{SettleAnswer, EchoAnswer}[w.chance.IntN(2)]
		if m.Kind == ReversalAnswer {
			bad.Kind = SaleAnswer // the classic: a 0210 where a 0410 is awaited
		}
	default:
		return false
	}
	w.fly(in, event{what: toTerminal, m: &bad, gen: gen})
	if w.oneIn(2) { // the true one follows
		w.fly(in+w.between(0, time.Second), event{what: toTerminal, m: m, gen: gen})
	}
	return true
}

// strangeTill is a terminal that is not in this shop.
const strangeTill = 77

// terminalHears is an answer that has come through.
func (w *world) terminalHears(m *Message, gen uint32) {
	w.line.flying--
	if !w.on || !w.line.up || gen != w.line.gen {
		return
	}
	w.note("terminal", "hears", m)
	w.audit.hears(m)
	w.alive(func() { w.terminal.arrived(m) })
}
