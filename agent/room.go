package agent

import (
	"log/slog"
	"slices"

	"reversald/iso"
)

// waitingMax bounds the waiting room: more tills than a shop has.
const waitingMax = 64

// waiter is a payment or a settlement that may not go out yet: the line is down, or its terminal
// owes a reversal. Nothing of it is on file, and nothing of it has left.
type waiter struct {
	app      App
	body     []byte
	glance   iso.Glance
	original iso.Original
	until    instant
}

// enter lets a request in, at once where nothing stands in its way.
func (a *Agent) enter(w waiter) error {
	if a.heard.failing {
		a.turnAwayUnpowered(w)
		return nil
	}
	if a.clearFor(w) && len(a.waiting) == 0 {
		return a.leave(w)
	}
	if a.waitsAlready(w) {
		return nil
	}
	if confirmsItself(w.app) && a.traceWaits(w) {
		a.turnDown(w.app, w.body, Refusal{Kind: RefusedTrace})
		return nil
	}
	if len(a.waiting) >= waitingMax {
		a.counts.Refused++
		a.turnDown(w.app, w.body, Refusal{Kind: RefusedBusy})
		return nil
	}
	now := a.now()
	w.until = now + a.limits.EntryWait
	a.waiting = append(a.waiting, w)
	// Somebody stands at the till: redial, and reverse what is owed, now.
	a.queue.Hurry(w.glance.Terminal, now)
	if a.host == "" {
		a.line.Kick()
	}
	return nil
}

// waitsAlready: an app asks again for what still waits. It is one payment; who asked last gets the
// answer.
func (a *Agent) waitsAlready(w waiter) bool {
	i := slices.IndexFunc(a.waiting, func(v waiter) bool {
		return v.glance.Class == w.glance.Class && v.glance.Key == w.glance.Key &&
			same(v.original, w.original) && !confirmsItself(v.app) && !confirmsItself(w.app)
	})
	if i >= 0 {
		a.waiting[i].app, a.waiting[i].body = w.app, w.body
	}
	return i >= 0
}

func confirmsItself(app App) bool {
	_, is := app.(*counter)
	return is
}

// traceWaits: a payment with the same trace number waits.
func (a *Agent) traceWaits(w waiter) bool {
	return slices.ContainsFunc(a.waiting, func(v waiter) bool {
		return v.glance.Class == iso.ClassPayment && v.glance.Key == w.glance.Key
	})
}

// takeBack: an app reverses a payment that still waits. Nothing of it was sent, and nothing will.
func (a *Agent) takeBack(key string) bool {
	n := len(a.waiting)
	a.waiting = slices.DeleteFunc(a.waiting, func(w waiter) bool {
		if w.glance.Class != iso.ClassPayment || w.glance.Key != key {
			return false
		}
		a.turnDown(w.app, w.body, Refusal{Kind: RefusedTakenBack})
		return true
	})
	return len(a.waiting) < n
}

// clearFor: the line is up and the terminal owes nothing.
func (a *Agent) clearFor(w waiter) bool {
	return a.ready() && !a.queue.Owes(w.glance.Terminal)
}

// leave lets a waiter out of the room, towards the host.
func (a *Agent) leave(w waiter) error {
	if w.glance.Class == iso.ClassSettlement {
		a.pass(w.app, w.glance, w.body)
		return nil
	}
	if a.known(w) {
		return nil
	}
	return a.start(w)
}

// admit lets in whoever may go now, in the order they came.
func (a *Agent) admit() error {
	for i := 0; i < len(a.waiting); {
		w := a.waiting[i]
		if !a.clearFor(w) {
			i++
			continue
		}
		a.waiting = slices.Delete(a.waiting, i, i+1)
		if err := a.leave(w); err != nil {
			return err
		}
	}
	return nil
}

// expireWaiting turns away whoever has waited long enough: nothing was sent.
func (a *Agent) expireWaiting(now instant) {
	a.waiting = slices.DeleteFunc(a.waiting, func(w waiter) bool {
		if w.until > now {
			return false
		}
		why := RefusedLine
		if a.host != "" {
			why = RefusedOwed
		}
		a.counts.TurnedAway++
		a.log.Warn("payment turned away, nothing was sent", slog.String("why", why.String()),
			slog.String("terminal", w.glance.Terminal), slog.String("stan", w.glance.STAN))
		a.turnDown(w.app, w.body, Refusal{Kind: why})
		return true
	})
}

// leaveRoom forgets the requests of an app that is gone.
func (a *Agent) leaveRoom(app App) {
	a.waiting = slices.DeleteFunc(a.waiting, func(w waiter) bool { return w.app == app })
}
