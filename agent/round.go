package agent

import (
	"log/slog"

	"reversald/agent/payment"
)

// round settles a batch of messages: decide all, write once, then do.
//
// Whatever waited in the inbox shares one commit. What doing brings about at once (a frame that
// could not be sent, an answer that was delivered) is decided in a further pass of the same round,
// so that a delivery is noted microseconds after it happened.
func (a *Agent) round(batch []message) error {
	for _, m := range batch {
		if err := a.take(m); err != nil {
			return err
		}
	}
	for {
		now := a.now()
		if err := a.expire(now); err != nil {
			return err
		}
		if err := a.dispatch(now); err != nil {
			return err
		}
		if err := a.write(now); err != nil {
			return err
		}
		// Everything decided above is durable here, or noted where nobody waits for it.
		// Cutting the power from here on is harmless.
		a.perform()
		if len(a.again) == 0 && len(a.after) == 0 {
			a.finish()
			return nil
		}
		events := a.again
		a.again = nil
		for _, h := range events {
			if err := a.happen(h.p, h.event); err != nil {
				return err
			}
		}
	}
}

// happen lets an event happen to a payment: it decides, applies, and keeps what must be written
// and done. Nothing outside changes here.
func (a *Agent) happen(p *held, e payment.Event) error {
	d := payment.Decide(p.state, e)
	for _, effect := range d.After {
		a.after = append(a.after, todo{p: p, effect: effect})
	}
	if d.Record == (payment.Record{}) {
		return nil
	}
	if d.Record.Kind == payment.RecordLateAnswer && !p.state.Phase.Open() && a.scarce() {
		a.log.Warn("late answer",
			slog.Uint64("id", uint64(p.id)), slog.String("code", d.Record.Code))
		return nil
	}
	return a.book(p, d.Record, d.Soon)
}

// book applies a record to a payment and lines it up for the journal. soon: nobody waits for it.
func (a *Agent) book(p *held, r payment.Record, soon bool) error {
	was := p.state.Phase
	p.state = payment.Apply(p.state, r)
	if err := payment.Invariant(p.state); err != nil {
		return err
	}
	draft, err := a.draft(p, r)
	if err != nil {
		return err
	}
	a.drafts = append(a.drafts, draft)
	a.urgent = a.urgent || !soon
	a.books.moved(p, was)
	if was != 0 && !was.Open() && p.state.Phase.Open() {
		_ = a.roomToReopen() // where there is little left, more is made soon
	}
	a.follow(p, was, r)
	return nil
}

// follow keeps queue, deadlines and counts in step with a payment's phase.
func (a *Agent) follow(p *held, was payment.Phase, r payment.Record) {
	now := a.now()
	if p.state.Phase == payment.Doubted {
		p.deadline = 0
		a.queue.Owe(uint64(p.id), p.terminal, p.state.Attempts, now)
		if p.state.Held {
			a.queue.Hold(uint64(p.id))
		}
	} else if was == payment.Doubted {
		a.queue.Settle(uint64(p.id))
	}
	switch r.Kind {
	case payment.RecordAsked:
		p.deadline = now + a.limits.HostTimeout
	case payment.RecordApproved:
		p.deadline = 0
		if p.state.ConfirmBy == payment.ByApp {
			p.deadline = now + a.limits.ConfirmTimeout
		}
	case payment.RecordReversalSent:
		a.queue.Sent(uint64(p.id), r.Attempt, now)
	case payment.RecordReversalUnsent:
		a.queue.NeverLeft(uint64(p.id), now)
	case payment.RecordReplayed:
		a.queue.Replay(uint64(p.id), now)
	case payment.RecordReleased:
		a.queue.Release(uint64(p.id), now)
	case payment.RecordUnsent, payment.RecordDeclined, payment.RecordConfirmed,
		payment.RecordDoubted, payment.RecordReversalAnswered, payment.RecordReversed,
		payment.RecordStuck, payment.RecordResolved, payment.RecordLateAnswer,
		payment.RecordStray, payment.RecordHeld, payment.RecordCommand:
	}
	a.counts.add(r)
	a.said = append(a.said, saying{p, r, p.state.Phase})
}

// finish says what the round did, to whoever asked and to the log. A round that could not be
// written says nothing: nobody knows what became of it.
func (a *Agent) finish() {
	for _, r := range a.replies {
		r.to <- r.answer // has room for one
	}
	a.replies = nil
	for _, s := range a.said {
		attrs := []any{
			slog.String("record", s.r.Kind.String()), slog.Uint64("id", uint64(s.p.id)),
			slog.String("terminal", s.p.terminal), slog.String("stan", s.p.stan),
			slog.String("phase", s.phase.String()),
		}
		if s.r.Code != "" {
			attrs = append(attrs, slog.String("code", s.r.Code))
		}
		if s.r.Attempt != 0 {
			attrs = append(attrs, slog.Int("attempt", s.r.Attempt))
		}
		if why := reasonText(s.r); why != "" {
			attrs = append(attrs, slog.String("why", why))
		}
		a.log.Info("journal", attrs...)
		a.slipFor(s)
	}
	a.said = a.said[:0]
}

func reasonText(r payment.Record) string {
	if r.Reason == 0 {
		return r.Why
	}
	return r.Reason.String()
}

// expire gives up on what is overdue.
func (a *Agent) expire(now instant) error {
	for _, p := range a.books.overdue(now) {
		p.deadline = 0
		if err := a.happen(p, payment.TimeUp{}); err != nil {
			return err
		}
	}
	for _, id := range a.queue.Expire(now) {
		a.log.Warn("reversal unanswered", slog.Uint64("id", id))
	}
	a.expireKeeping(now)
	a.expirePassed(now)
	a.expireWaiting(now)
	return nil
}

// dispatch sends what is owed, oldest first, and only then lets new payments in.
func (a *Agent) dispatch(now instant) error {
	for _, id := range a.queue.Next(now) {
		p := a.books.byID[payment.ID(id)]
		if p == nil { // cannot happen: what is owed is open, and what is open is held
			a.queue.Settle(id)
			continue
		}
		if err := a.happen(p, payment.ReversalDue{}); err != nil {
			return err
		}
	}
	return a.admit()
}
