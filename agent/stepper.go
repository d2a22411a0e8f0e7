package agent

import (
	"context"
	"time"

	"reversald/agent/link"
	"reversald/agent/payment"
)

// StepLine is the line of a [Stepper]: it takes frame bodies, and whatever it has to say is handed
// to [Stepper.Report].
type StepLine interface {
	// Send hands a frame body to the line. An error means that provably no byte left.
	Send(tag link.Tag, body []byte) error
	// Kick asks for a redial now.
	Kick()
	// Drop ends a line that leads nowhere.
	Drop()
}

// Stepper is an agent that is driven by hand: the same rounds as [Agent.Run], one at a time, in the
// caller's goroutine and on the caller's time, with no goroutine of its own. It is for simulators,
// which must be able to stop it anywhere and to run it again the same way.
//
// What comes in is handed over with Frame, Gone, Told and Report, and is settled by the next Step.
type Stepper struct{ a *Agent }

// NewStepper makes an agent to be driven by hand; now is a monotonic clock. Parts.Dialer is not
// used.
func NewStepper(
	parts Parts, limits Limits, line StepLine, now func() time.Duration,
) *Stepper {
	a := New(parts, limits)
	start := now()
	a.begun, a.elapsed = a.clock.Wall(), func() instant { return now() - start }
	a.line = steppedLine{line}
	return &Stepper{a}
}

// Start reads the journal and raises its doubts, as Run does first.
func (s *Stepper) Start() error { return s.a.recover() }

// Frame brings a frame from an app.
func (s *Stepper) Frame(app App, body []byte) { s.a.Frame(app, body) }

// Gone says that an app's connection has ended.
func (s *Stepper) Gone(app App) { s.a.Gone(app) }

// Told says what became of an answer that had to wait.
func (s *Stepper) Told(ticket uint64, delivered bool) { s.a.Told(ticket, delivered) }

// Report takes a report of the line.
func (s *Stepper) Report(r link.Report) { s.a.fromLine(r) }

// Step settles what was handed over and what is due, in as many rounds as Run would take. An error
// is the end of the agent: the journal has failed.
func (s *Stepper) Step() error {
	for {
		if err := s.a.settle(s.a.gather(nil)); err != nil {
			return err
		}
		s.sign()
		if len(s.a.inbox) == 0 {
			return nil
		}
	}
}

// sign does what waits for the signer, which brings further messages.
func (s *Stepper) sign() {
	for len(s.a.notary.jobs) > 0 {
		(<-s.a.notary.jobs)(context.Background())
	}
}

// Wake is when the agent next wants a Step though nothing was handed over, by the clock it was
// given.
func (s *Stepper) Wake() (in time.Duration) { return max(0, s.a.deadline()-s.a.now()) }

// Open lists the open payments, oldest first.
func (s *Stepper) Open() []Payment {
	open := []Payment{}
	for _, p := range s.a.books.listOpen() {
		if p.state.Phase.Open() {
			open = append(open, s.a.view(p))
		}
	}
	return open
}

// Replay sends a stuck or waiting reversal again, in the name of a person. The next Step does it.
func (s *Stepper) Replay(id uint64, by, why string) {
	s.person(id, payment.Replay{By: by, Why: why})
}

// Resolve closes a stuck payment in the name of a person. The next Step does it.
func (s *Stepper) Resolve(id uint64, by, why string) {
	s.person(id, payment.Resolve{By: by, Why: why})
}

// Sell asks for a payment that its app confirms, as [Agent.Sell] does for a key that is not on
// file.
func (s *Stepper) Sell(sale Sale) *Offer {
	o := &Offer{begun: make(chan any, 1)}
	s.a.post(question{answer: o.begun, ask: func(a *Agent) (any, error) {
		return a.sell(sale, a.journal.Next())
	}})
	return o
}

// Forsake says that whoever waits for an offer is gone.
func (s *Stepper) Forsake(o *Offer) {
	if c := o.waits(); c != nil {
		s.a.post(forsaken{c})
	}
}

// Confirm lets an app confirm its payment. After a Step the channel has one word: whether that is
// on file.
func (s *Stepper) Confirm(id uint64, app string) <-chan any {
	answer := make(chan any, 1)
	s.a.post(question{answer: answer, ask: func(a *Agent) (any, error) {
		p := a.books.byID[payment.ID(id)]
		fits := []payment.Phase{payment.Approved, payment.Confirmed}
		if is := p != nil && theirs(p, app, fits) == nil; !is {
			return false, nil
		}
		return true, a.happen(p, payment.Confirm{})
	}})
	return answer
}

// Phase is how a payment of an app stands, as long as it is in memory.
func (s *Stepper) Phase(id uint64) string {
	if p := s.a.books.byID[payment.ID(id)]; p != nil {
		return p.state.Phase.String()
	}
	return ""
}

// Offer is a caller of Sell.
type Offer struct {
	begun chan any
	c     *counter
}

func (o *Offer) waits() *counter {
	if o.c == nil {
		select {
		case c := <-o.begun:
			o.c, _ = c.(*counter)
		default:
		}
	}
	return o.c
}

// Outcome is what Sell would have returned: the payment, or why nothing was sent. false: Sell would
// still be waiting.
func (o *Offer) Outcome() (p Payment, refusal *Refusal, known bool) {
	c := o.waits()
	if c == nil {
		return Payment{}, nil, false
	}
	select {
	case <-c.done:
		return c.result, c.refusal, true
	default:
		return Payment{}, nil, false
	}
}

func (s *Stepper) person(id uint64, e payment.Event) {
	s.a.post(question{answer: make(chan any, 1), ask: func(a *Agent) (any, error) {
		if p := a.books.byID[payment.ID(id)]; p != nil && p.state.Phase.Open() {
			return true, a.happen(p, e)
		}
		return false, nil
	}})
}

// steppedLine is a StepLine where the agent expects a carrier that runs by itself.
type steppedLine struct{ StepLine }

func (steppedLine) State() link.State       { return link.Up }
func (steppedLine) Run(ctx context.Context) { <-ctx.Done() }
func (steppedLine) Local() string           { return "" }
func (l steppedLine) Renew()                { l.Kick() }
func (l steppedLine) DropFor(error)         { l.Drop() }
