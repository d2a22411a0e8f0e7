package agent

import (
	"context"
	"errors"
	"fmt"

	"reversald/agent/payment"
	"reversald/iso"
)

// Reasons a person's order is not carried out.
var (
	// ErrNoPayment: there is no such payment open.
	ErrNoPayment = errors.New("no such open payment")
	// ErrNoName: who acts must say who they are, and why.
	ErrNoName = errors.New("a name and a reason are needed")
	// ErrPhase: the payment is in a phase where the order means nothing.
	ErrPhase = errors.New("the payment can not take this order now")
	// ErrTooLong: a name or a reason that fits no journal entry.
	ErrTooLong = errors.New("the name or the reason is too long")
)

// nameBytesMax and reasonBytesMax keep what a person writes within one journal entry, every byte
// of it escaped.
const (
	nameBytesMax   = 100
	reasonBytesMax = 400
)

// Replay sends a stuck or waiting reversal again, now, in the name of a person.
func (a *Agent) Replay(ctx context.Context, id uint64, by, why string) (Payment, error) {
	by, why = iso.MaskText(by), iso.MaskText(why)
	return a.order(ctx, id, by, why, payment.Replay{By: by, Why: why})
}

// Resolve closes a stuck payment in the name of a person, who must say why.
func (a *Agent) Resolve(ctx context.Context, id uint64, by, why string) (Payment, error) {
	if why == "" {
		return Payment{}, ErrNoName
	}
	by, why = iso.MaskText(by), iso.MaskText(why)
	return a.order(ctx, id, by, why, payment.Resolve{By: by, Why: why})
}

// Hold stops our attempts to reverse a payment, in the name of a person who must say why. It is
// owed all the same, and counted, until [Agent.Release].
func (a *Agent) Hold(ctx context.Context, id uint64, by, why string) (Payment, error) {
	if why == "" {
		return Payment{}, ErrNoName
	}
	by, why = iso.MaskText(by), iso.MaskText(why)
	return a.order(ctx, id, by, why, payment.Hold{By: by, Why: why})
}

// Release lets the attempts go on, now.
func (a *Agent) Release(ctx context.Context, id uint64, by, why string) (Payment, error) {
	by, why = iso.MaskText(by), iso.MaskText(why)
	return a.order(ctx, id, by, why, payment.Release{By: by, Why: why})
}

// order lets a person's event happen, and answers when it is durable.
func (a *Agent) order(
	ctx context.Context, id uint64, by, why string, e payment.Event,
) (Payment, error) {
	switch {
	case by == "":
		return Payment{}, ErrNoName
	case len(by) > nameBytesMax || len(why) > reasonBytesMax:
		return Payment{}, ErrTooLong
	}
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		p := a.books.byID[payment.ID(id)]
		if p == nil || !p.state.Phase.Open() {
			return fmt.Errorf("%w: %d", ErrNoPayment, id), nil
		}
		if _, replay := e.(payment.Replay); replay && p.questionLost {
			return fmt.Errorf("%w: %d: what it asked for is lost; ask the host, and resolve it",
				ErrPhase, id), nil
		}
		if payment.Decide(p.state, e).Record == (payment.Record{}) {
			return fmt.Errorf("%w: %d is %s", ErrPhase, id, phaseOf(p.state)), nil
		}
		if err := a.happen(p, e); err != nil {
			return nil, err
		}
		return a.view(p), nil
	})
	if err != nil {
		return Payment{}, err
	}
	if refusal, ok := answer.(error); ok {
		return Payment{}, refusal
	}
	return answer.(Payment), nil
}

// phaseOf is a phase for a person whose order it refuses.
func phaseOf(s payment.State) string {
	if s.Held {
		return s.Phase.String() + ", and held: release it first"
	}
	return s.Phase.String()
}
