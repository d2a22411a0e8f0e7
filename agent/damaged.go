package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"reversald/agent/payment"
	"reversald/store"
)

// causeDamaged is why a payment is stuck of which both copies are damaged.
const causeDamaged = "both copies damaged"

// damagedEntriesMax bounds what is read of a damaged payment.
const damagedEntriesMax = 10_000

// recoverDamaged holds an open payment of which an entry is gone in both files. When its question
// can be read it is reversed, as any other that the last life left open. When it can not, or when
// what is gone may have closed it, nobody can know: it is stuck until a person closes it.
func (a *Agent) recoverDamaged(key uint64, fateless bool) error {
	entries, err := a.journal.History(key, damagedEntriesMax)
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		return fmt.Errorf("payment %d: %w", key, err)
	}
	a.log.Error("both copies of a payment are damaged", slog.Uint64("id", key),
		slog.Int("entries_left", len(entries)))
	p, seen := a.foldDamaged(key, entries)
	a.books.add(p)
	switch {
	case seen: // an earlier start has held it; what a person did since counts
		a.followUp(p)
		return nil
	case p.questionLost || fateless:
		return a.book(p, payment.Record{Kind: payment.RecordStuck, Why: causeDamaged}, false)
	}
	a.followUp(p)
	return a.happen(p, payment.PowerUp{})
}

// foldDamaged makes of the entries what can be made of them: a payment that is open in any case.
// seen says that it was held before.
func (a *Agent) foldDamaged(key uint64, entries []store.Entry) (p *held, seen bool) {
	asked := slices.IndexFunc(entries, func(e store.Entry) bool {
		return payment.Kind(e.Kind) == payment.RecordAsked
	})
	p = &held{}
	if asked == 0 {
		if whole, err := a.fold(entries[:1]); err == nil {
			p = whole
		}
	}
	if p.state.Phase == 0 {
		p.questionLost = true
		p.state = payment.State{Phase: payment.Asked, ConfirmBy: payment.ByDelivery}
		if len(entries) > 0 {
			p.since = entries[0].Wall
		}
	}
	p.id = payment.ID(key)
	for _, e := range entries {
		r, data, err := record(e)
		if err != nil || r.Kind == payment.RecordAsked {
			continue
		}
		if r.Kind == payment.RecordApproved {
			p.kept = data.Kept
		}
		seen = seen || (r.Kind == payment.RecordStuck && r.Why == causeDamaged)
		next := payment.Apply(p.state, r)
		if payment.Invariant(next) == nil && next.Phase.Open() {
			p.state = next
		}
	}
	if p.questionLost && p.state.Phase == payment.Doubted {
		p.state.Held = false
		p.state.Phase, p.state.Cause = payment.Stuck, causeDamaged // nothing to build a reversal of
	}
	return p, seen
}
