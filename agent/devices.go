package agent

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"reversald/hal"
)

// Devices are what warns the agent. Each may be nil: then nobody watches it.
type Devices struct {
	Network hal.Network
	Power   hal.Power
	// Certificates are those the line needs; nil: it needs none.
	Certificates func() []hal.Certificate
}

// devices is what they have said. Owned by Run.
type devices struct {
	failing bool // the power is
	power   string
	unheard []string // what is not watched, though it was to be, and why
}

type (
	fromNetwork struct{ change hal.NetworkChange }
	fromPower   struct{ state hal.PowerState }
	fromJump    struct{}
	fromNobody  struct { // a watch has ended that should not have
		what string
		err  error
	}
)

func (fromNetwork) message() {}
func (fromPower) message()   {}
func (fromJump) message()    {}
func (fromNobody) message()  {}

// watch begins to watch every device. The group ends after ctx.
func (a *Agent) watch(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	begin := func(what string, watch func() error) {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := watch(); err != nil && ctx.Err() == nil {
				a.post(fromNobody{what, err})
			}
		}()
	}
	if network := a.devices.Network; network != nil {
		begin("network", func() error {
			return network.Watch(ctx, func(c hal.NetworkChange) { a.post(fromNetwork{c}) })
		})
	}
	if power := a.devices.Power; power != nil {
		begin("power", func() error {
			return power.Watch(ctx, func(s hal.PowerState) { a.post(fromPower{s}) })
		})
	}
	if clock, ok := a.clock.(hal.ClockWatch); ok {
		begin("clock", func() error { return clock.Jumps(ctx, func() { a.post(fromJump{}) }) })
	}
	return &group
}

// clockJumped: what is overdue by now is found by the round that the message is in.
func (a *Agent) clockJumped() {
	a.log.Warn("the clock was set, or the terminal has slept",
		slog.Time("now", a.clock.Wall()), slog.Bool("trusted", a.times.Trusted()))
	if a.host == "" {
		a.line.Renew()
	}
}

// unheardOf: a device that nobody watches any more.
func (a *Agent) unheardOf(m fromNobody) {
	a.heard.unheard = append(a.heard.unheard, m.what+": "+m.err.Error())
	a.log.Error("not watched", slog.String("device", m.what), slog.Any("error", m.err))
}

// networkChanged: a line whose address is gone is lost now; one that may work again is tried now.
func (a *Agent) networkChanged(c hal.NetworkChange) {
	lost := a.host != "" && c.Loses(a.line.Local())
	a.log.Info("network", slog.String("interface", c.Interface), slog.String("what", c.Why),
		slog.String("gone", list(c.Gone)), slog.String("back", list(c.Back)),
		slog.Bool("line_lost", lost))
	if lost {
		a.line.DropFor(lineGoneError{c.Interface + ": " + c.Why})
	}
	if len(c.Back) > 0 && a.host == "" {
		a.line.Renew()
	}
}

// lineGoneError is why a line was given up.
type lineGoneError struct{ why string }

func (e lineGoneError) Error() string { return e.why }

func list(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, " ")
}

// powerChanged: what has not begun does not begin, and what is only noted is written down.
func (a *Agent) powerChanged(s hal.PowerState) {
	was := a.heard.failing
	a.heard.failing, a.heard.power = s.Failing, s.Why
	switch {
	case s.Failing && !was:
		a.log.Error("power is failing, no sales are taken", slog.String("source", s.Why))
		if a.flushAt != 0 {
			a.flushAt = a.now()
		}
		for _, w := range a.waiting {
			a.turnAwayUnpowered(w)
		}
		a.waiting = a.waiting[:0]
	case !s.Failing && was:
		a.log.Warn("power is back, sales are taken", slog.String("source", s.Why))
	}
}

// turnAwayUnpowered tells an app that nothing was sent, nor will be.
func (a *Agent) turnAwayUnpowered(w waiter) {
	a.counts.TurnedAway++
	a.log.Warn("payment turned away, nothing was sent", slog.String("why", RefusedPower.String()),
		slog.String("terminal", w.glance.Terminal), slog.String("stan", w.glance.STAN))
	a.turnDown(w.app, w.body, Refusal{Kind: RefusedPower})
}

// Watched is the part of a status that the devices have to do with.
type Watched struct {
	Clock        string            `json:"clock"`           // trusted, untrusted
	Time         time.Time         `json:"time"`            // by which certificates are judged
	Power        string            `json:"power,omitempty"` // good, failing: what the source says
	PowerFailing bool              `json:"power_failing,omitempty"`
	Unwatched    []string          `json:"unwatched,omitempty"`    // and why
	Certificates []hal.Certificate `json:"certificates,omitempty"` // of the line
}

func (a *Agent) watched() Watched {
	w := Watched{
		Clock: untrusted, Time: a.times.Now(), Unwatched: a.heard.unheard,
		PowerFailing: a.heard.failing,
	}
	if a.times.Trusted() {
		w.Clock = "trusted"
	}
	if a.devices.Power != nil {
		w.Power = "good: " + a.heard.power
		if a.heard.failing {
			w.Power = "failing: " + a.heard.power
		}
	}
	if a.devices.Certificates != nil {
		w.Certificates = a.devices.Certificates()
	}
	return w
}

// RetryNow tries everything that waits for its time: the line, and every reversal that is owed.
func (a *Agent) RetryNow(ctx context.Context) error {
	_, err := a.ask(ctx, func(a *Agent) (any, error) {
		if a.host == "" {
			a.line.Renew()
		}
		for _, it := range a.queue.Items() {
			a.queue.Hurry(it.Terminal, a.now())
		}
		return true, nil
	})
	return err
}

// Reload puts other limits in force, from the next decision on. Of the line's own it changes
// nothing: see link.Options.
func (a *Agent) Reload(ctx context.Context, l Limits) error {
	_, err := a.ask(ctx, func(a *Agent) (any, error) {
		a.limits = l
		a.queue.Change(l.Schedule)
		a.tidyAt = min(a.tidyAt, a.now()) // retention may be shorter
		return true, nil
	})
	return err
}

// Alive answers when the agent has settled a round and the journal has been read since: a sync that
// hangs keeps both from happening.
func (a *Agent) Alive(ctx context.Context) error {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) { return a.journal.Last(), nil })
	if err != nil {
		return err
	}
	if last := answer.(uint64); last > 0 {
		_, err = a.Lines(last, 1)
	}
	return err
}
