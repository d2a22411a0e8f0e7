package agent

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"reversald/agent/payment"
	"reversald/iso"
)

// Sale is a payment that its app confirms or cancels: what the API door carries.
type Sale struct {
	App       string            // who asks, as the door knows the peer; goes on file
	Key       string            // names the payment among those of App, for ever
	Digest    [sha256.Size]byte // of what was asked for; sealed on file
	Reference string            // the app's own word for it; goes on file
	Frame     []byte            // the whole message; nil: Request is worded
	Request   iso.Request
}

// name is the key with whose it is.
func (s *Sale) name() string { return idemName(s.App, s.Key) }

func idemName(app, key string) string { return app + "\x00" + key }

// Sell asks for a payment and waits until the host has answered, the time is up, or nothing could
// be sent, which is a *Refusal. A key that is on file gives the payment it names, under way or
// over, and nothing is sent twice.
//
// When ctx ends first the payment goes on, unless it has not left yet: then it never does.
func (a *Agent) Sell(ctx context.Context, s Sale) (Payment, error) {
	for {
		p, seen, err := a.remembered(ctx, s)
		if err != nil {
			return Payment{}, err
		}
		if p.ID != 0 {
			return p, nil
		}
		answer, err := a.ask(ctx, func(a *Agent) (any, error) { return a.sell(s, seen) })
		if err != nil {
			return Payment{}, err
		}
		if c, _ := answer.(*counter); c != nil { // else: search again
			return a.waitAt(ctx, c)
		}
	}
}

// waitAt waits for the outcome of a payment.
func (a *Agent) waitAt(ctx context.Context, c *counter) (Payment, error) {
	select {
	case <-c.done:
		if c.refusal != nil {
			return Payment{}, c.refusal
		}
		return c.result, nil
	case <-a.stopped:
		return Payment{}, ErrStopped
	case <-ctx.Done():
		a.post(forsaken{c})
		return Payment{}, ctx.Err()
	}
}

// remembered looks in the journal for the payment that a key names; the zero Payment is that there
// is none, or one that is not over yet. seen is the newest entry that was looked at.
func (a *Agent) remembered(ctx context.Context, s Sale) (p Payment, seen uint64, err error) {
	found, seen, err := a.search(ctx, Query{App: s.App, Key: s.Key, Limit: 1})
	if err != nil || len(found) == 0 || found[0].state.Phase == payment.Asked {
		return Payment{}, seen, err
	}
	if found[0].digest != s.Digest {
		return Payment{}, seen, &Refusal{Kind: RefusedKey, ID: uint64(found[0].id)}
	}
	views, err := a.viewsOf(ctx, found)
	if err != nil {
		return Payment{}, seen, err
	}
	views[0].Replayed = true
	return views[0], seen, nil
}

// Confirm says that the sale is finished: it is the app's. Confirmed already is as good. Anything
// else is ErrPhase, with the payment as it is: the sale must not be finished.
//
// app, where it is not empty, is whose the payment must be.
func (a *Agent) Confirm(ctx context.Context, id uint64, app string) (Payment, error) {
	return a.decide(ctx, id, app, payment.Confirm{}, payment.Approved, payment.Confirmed)
}

// Cancel takes a payment back: a reversal is owed, if there may be anything to reverse. What is
// being reversed, or holds no debit, stays what it is. Confirmed is ErrPhase, as is resolved.
func (a *Agent) Cancel(ctx context.Context, id uint64, app string) (Payment, error) {
	return a.decide(ctx, id, app, payment.Cancel{}, payment.Asked, payment.Approved,
		payment.Doubted, payment.Stuck, payment.Reversed, payment.Declined, payment.Unsent)
}

// decide lets an app's event happen to a payment of its own that is in one of some phases, and
// answers when that is durable. In a phase where the event means nothing, nothing happens.
func (a *Agent) decide(
	ctx context.Context, id uint64, app string, e payment.Event, in ...payment.Phase,
) (Payment, error) {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		p := a.books.byID[payment.ID(id)]
		if p == nil {
			return verdict{}, nil
		}
		if err := theirs(p, app, in); err != nil {
			return verdict{p: a.view(p), err: err}, nil //nolint:nilerr // the app's, not the agent's
		}
		if err := a.happen(p, e); err != nil {
			return nil, err
		}
		return verdict{p: a.view(p)}, nil
	})
	if err != nil {
		return Payment{}, err
	}
	if v, _ := answer.(verdict); v.p.ID != 0 {
		return v.p, v.err
	}
	return a.decidedLongAgo(ctx, id, app, in)
}

// verdict is what became of an app's event; the zero verdict is that nobody has the payment in
// memory.
type verdict struct {
	p   Payment
	err error
}

// decidedLongAgo is decide for a payment that is on file only: it is closed, and the event means
// nothing to it.
func (a *Agent) decidedLongAgo(
	ctx context.Context, id uint64, app string, in []payment.Phase,
) (Payment, error) {
	p, err := a.recall(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	return onFile(p), theirs(p, app, in)
}

// theirs says why an app's event is not for a payment, or nil.
func theirs(p *held, app string, in []payment.Phase) error {
	switch {
	case app != "" && p.appName != app:
		return fmt.Errorf("%w: %d", ErrNoPayment, p.id)
	case p.state.ConfirmBy != payment.ByApp:
		return fmt.Errorf("%w: %d came by another door, which has no confirm", ErrPhase, p.id)
	case !slices.Contains(in, p.state.Phase):
		return fmt.Errorf("%w: %d is %s", ErrPhase, p.id, p.state.Phase)
	}
	return nil
}
