package agent

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"reversald/agent/link"
	"reversald/agent/payment"
	"reversald/agent/reversal"
	"reversald/agent/slip"
	"reversald/hal"
	"reversald/iso"
	"reversald/store"
)

// Parts are what an agent is made of. All are required.
type Parts struct {
	Profile *iso.Profile
	Journal *store.Journal
	Dialer  hal.Dialer
	Clock   hal.Clock
	Signer  hal.Signer // nil: the host wants no MAC
	Log     *slog.Logger
	// Slips takes what is to be printed, and never waits; nil where there is no printer.
	Slips func(slip.Slip)
	// Printing says how the printer does, at once; nil where there is none.
	Printing func() Printing
	Devices  Devices
	Times    *Timekeeper // nil: one for Clock that knows no build time
}

// Agent owns every payment of one terminal device. Make one with [New], give it a goroutine with
// [Agent.Run], and talk to it through its inbox.
type Agent struct {
	limits   Limits
	profile  *iso.Profile
	journal  *store.Journal
	clock    hal.Clock
	times    *Timekeeper
	devices  Devices
	log      *slog.Logger
	slips    func(slip.Slip)
	printing func() Printing
	line     carrier
	notary   *notary
	inbox    chan message
	index    *register
	stopped  chan struct{} // closed when Run has returned

	// Everything below is owned by Run.
	begun     time.Time
	elapsed   func() instant // since begun, sleep included
	heard     devices
	books     books
	queue     *reversal.Queue
	waiting   []waiter
	passed    map[passKey]passing
	nextID    payment.ID
	keeping   keeping
	stan      int                 // trace number given out last, for messages of ours
	stanSeq   uint64              // the entry it was read from
	stanAsked uint64              // or the payment that it follows
	underway  map[uint64]delivery // by ticket
	ticket    uint64              // the last one given out
	host      string              // the address of the line; empty while it is down
	lineNote  string              // why the line is down, for status
	lineSince time.Time
	timer     *time.Timer
	drafts    []store.Draft // of this round, in order
	urgent    bool          // one of them is waited for
	after     []todo        // what may be done once they are durable
	again     []happening   // what doing it brought about at once
	replies   []reply       // answers to questions, given at the end of the round
	said      []saying      // log lines of the round: writing them comes after acting
	flushAt   instant       // when what was only noted is committed; zero: nothing is
	tidyAt    instant       // when to look for closed payments to forget
	counts    Counts
	spoken    spoken // of people, lately

	evidenceKey string // the public one, hexadecimal
}

// carrier takes frames to the host: a link.Supervisor, but for a [Stepper].
type carrier interface {
	Send(tag link.Tag, body []byte) error
	Kick()
	Renew()
	Drop()
	DropFor(why error)
	Local() string
	State() link.State
	Run(ctx context.Context)
}

// todo is something done outside: an effect with the payment it belongs to, or an answer to an app
// that concerns no decision.
type todo struct {
	p      *held
	effect payment.Effect
	tell   func()
}

// delivery is a host's answer that an app has not taken in full yet.
type delivery struct {
	p   *held
	app App
}

// happening is an event with the payment it happened to.
type happening struct {
	p     *held
	event payment.Event
}

// reply is the answer to a question from outside Run.
type reply struct {
	to     chan<- any
	answer any
}

// saying is the log line of one record.
type saying struct {
	p     *held
	r     payment.Record
	phase payment.Phase
}

// New makes an agent. It reads nothing and sends nothing: that is Run's.
func New(parts Parts, limits Limits) *Agent {
	a := &Agent{
		limits: limits, profile: parts.Profile, journal: parts.Journal,
		slips: parts.Slips, printing: parts.Printing,
		clock: parts.Clock, times: parts.Times, devices: parts.Devices, log: parts.Log,
		notary: newNotary(parts.Profile, parts.Signer), index: newRegister(parts.Journal),
		inbox: make(chan message, inboxMax), stopped: make(chan struct{}),
		books: newBooks(), passed: map[passKey]passing{},
		underway: map[uint64]delivery{},
		queue:    reversal.NewQueue(limits.Schedule),
	}
	if a.times == nil {
		a.times = NewTimekeeper(parts.Clock, time.Time{})
	}
	a.line = link.New(link.Options{
		Dialer: parts.Dialer, Addresses: limits.Hosts, Framing: framing{parts.Profile},
		DialTimeout: limits.DialTimeout, WriteTimeout: limits.WriteTimeout,
		RedialMin: limits.RedialMin, RedialMax: limits.RedialMax,
	}, a.fromLine)
	return a
}

// Run folds the journal, raises its doubts, opens the line and then serves the inbox until ctx
// ends or the journal fails. A journal that fails ends the agent: nobody knows what is on the
// disk, and the next start finds out.
func (a *Agent) Run(ctx context.Context) error {
	defer close(a.stopped)
	a.begun = time.Now()
	// What was due while the terminal slept is due when it wakes up.
	booted := a.clock.SinceBoot()
	a.elapsed = func() instant { return a.clock.SinceBoot() - booted }
	a.evidenceKey = hex.EncodeToString(a.journal.Public())
	if err := a.recover(); err != nil {
		return err
	}
	lineCtx, hangUp := context.WithCancel(ctx)
	lineDone := make(chan struct{})
	go func() {
		defer close(lineDone)
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			a.index.begin(lineCtx)
		}()
		signing := make(chan struct{})
		go func() {
			defer close(signing)
			a.notary.run(lineCtx)
		}()
		watching := a.watch(lineCtx)
		a.line.Run(lineCtx)
		watching.Wait()
		<-signing
		<-reading
	}()
	a.timer = time.AfterFunc(time.Hour, func() { a.tick() })
	err := a.serve(ctx)
	a.timer.Stop()
	hangUp()
	told := a.drainUntil(lineDone)
	if err != nil {
		return err
	}
	if err := a.confirmTold(told); err != nil {
		return err
	}
	return a.journal.Flush()
}

// serve is the loop: it waits for a message, takes whatever else waits, and settles all of it in
// one round.
func (a *Agent) serve(ctx context.Context) error {
	batch := make([]message, 0, batchMax)
	for {
		a.setTimer()
		select {
		case <-ctx.Done():
			return nil
		case m := <-a.inbox:
			batch = append(batch[:0], m)
		}
		batch = a.gather(batch)
		if err := a.settle(batch); err != nil {
			return err
		}
		clear(batch)
	}
}

// gather adds whatever else waits.
func (a *Agent) gather(batch []message) []message {
	for len(batch) < batchMax && len(a.inbox) > 0 {
		batch = append(batch, <-a.inbox)
	}
	return batch
}

// settle is one round and what follows it.
func (a *Agent) settle(batch []message) error {
	if err := a.round(batch); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return a.tidy(a.now())
}

// drainUntil keeps the inbox moving while the line hangs up: its last reports must not block it.
// It returns what apps had to say about their answers.
func (a *Agent) drainUntil(done <-chan struct{}) []appTold {
	var told []appTold
	note := func(m message) {
		if t, ok := m.(appTold); ok {
			told = append(told, t)
		}
	}
	for {
		select {
		case m := <-a.inbox:
			note(m)
		case <-done:
			for len(a.inbox) > 0 {
				note(<-a.inbox)
			}
			return told
		}
	}
}

// confirmTold writes down which answers apps have in full, so that the next start does not take
// them back. Nothing is sent any more.
func (a *Agent) confirmTold(told []appTold) error {
	for _, t := range told {
		if !t.delivered {
			continue // doubted by the next start
		}
		if err := a.appTold(t.ticket, true); err != nil {
			return err
		}
	}
	return a.write(a.now())
}

// tick wakes Run; a full inbox wakes it anyway.
func (a *Agent) tick() {
	select {
	case a.inbox <- fromClock{}:
	default:
	}
}

func (a *Agent) now() instant { return a.elapsed() }

// setTimer sets the one timer to the nearest deadline there is.
func (a *Agent) setTimer() { a.timer.Reset(max(0, a.deadline()-a.now())) }

// deadline is that deadline; within the hour, there is always one.
func (a *Agent) deadline() instant {
	const idle = time.Hour
	next := min(a.now()+idle, a.tidyAt)
	if wake, ok := a.queue.Wake(); ok {
		next = min(next, wake)
	}
	for _, p := range a.books.open {
		if p.deadline != 0 {
			next = min(next, p.deadline)
		}
	}
	for _, w := range a.waiting {
		next = min(next, w.until)
	}
	for _, pass := range a.passed {
		next = min(next, pass.until)
	}
	if a.flushAt != 0 {
		next = min(next, a.flushAt)
	}
	if wake := a.wakeKeeping(); wake != 0 {
		next = min(next, wake)
	}
	return next
}
