package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// recover folds what is on file into what is held, with the same Apply that runs live, and raises
// the doubts of whatever the last life left open. It reads the stories of open payments and the
// newest few entries, so it does not take longer when the journal grows.
func (a *Agent) recover() error {
	a.nextID = payment.ID(a.journal.Next())
	if err := a.recallSTAN(); err != nil {
		return err
	}
	if err := a.recallClosed(); err != nil {
		return err
	}
	if err := a.recallTime(); err != nil {
		return err
	}
	facts := a.journal.Facts()
	for _, key := range a.journal.OpenKeys() {
		entries, err := a.journal.Story(key)
		if slices.Contains(facts.Damaged, key) || errors.Is(err, store.ErrCorrupt) {
			if err := a.recoverDamaged(key, slices.Contains(facts.Fateless, key)); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			entries, err = a.fromItsBeginning(key, entries)
		}
		if err != nil {
			return fmt.Errorf("payment %d: %w", key, err)
		}
		if !begins(entries) {
			if err := a.recoverDamaged(key, true); err != nil {
				return err
			}
			continue
		}
		p, err := a.fold(entries)
		if err != nil {
			return fmt.Errorf("payment %d: %w", key, err)
		}
		a.books.add(p)
		a.followUp(p)
		up := payment.PowerUp{KeepUnconfirmed: a.limits.KeepUnconfirmed}
		if err := a.happen(p, up); err != nil {
			return err
		}
	}
	a.log.Info("journal read", slog.Uint64("entries", a.journal.Last()),
		slog.Int("open", len(a.books.open)), slog.Int("owed", a.queue.Len()))
	return a.round(nil)
}

// begins says whether entries tell a payment from its beginning.
func begins(entries []store.Entry) bool {
	return len(entries) > 0 && payment.Kind(entries[0].Kind) == payment.RecordAsked
}

// fromItsBeginning puts what was on file of a payment before it. A payment that was closed and is
// open again (the host approved it after it had accepted the reversal) is open since then only, as
// far as the journal knows.
func (a *Agent) fromItsBeginning(key uint64, entries []store.Entry) ([]store.Entry, error) {
	if len(entries) == 0 || begins(entries) {
		return entries, nil
	}
	before, err := a.storyAround(key)
	if err != nil {
		return nil, err
	}
	before = slices.DeleteFunc(before, func(e store.Entry) bool { return e.Seq >= entries[0].Seq })
	return append(before, entries...), nil
}

// followUp puts a payment that was doubted before the restart back in the queue, and knows the
// answer to its newest attempt, which may be on its way.
func (a *Agent) followUp(p *held) {
	if p.reversalSTAN != "" {
		_, _ = a.reversalOf(p, p.state.Attempts) // where it can not be built, nothing answers to it
	}
	if p.state.Phase == payment.Doubted {
		a.queue.Owe(uint64(p.id), p.terminal, p.state.Attempts, a.now())
		if p.state.Held {
			a.queue.Hold(uint64(p.id))
		}
	}
}

// recallClosed brings the newest closed payments back, so that an app that asks again after a
// crash gets the outcome on file and nothing is sent twice.
func (a *Agent) recallClosed() error {
	entries, err := a.newest(4 * recentMax)
	if err != nil {
		return err
	}
	stories := map[uint64][]store.Entry{}
	var keys []uint64 // in the order they began
	for _, e := range entries {
		if e.Key == 0 {
			continue
		}
		if _, begun := stories[e.Key]; !begun {
			if payment.Kind(e.Kind) != payment.RecordAsked {
				continue // its beginning lies further back
			}
			keys = append(keys, e.Key)
		}
		stories[e.Key] = append(stories[e.Key], e)
	}
	for _, key := range keys {
		p, err := a.fold(stories[key])
		if err != nil { // an entry of it is damaged: it is closed, and nothing is owed
			a.log.Warn("closed payment not remembered",
				slog.Uint64("id", key), slog.Any("error", err))
			continue
		}
		if !p.state.Phase.Open() {
			a.books.add(p)
			a.books.forget()
		}
	}
	return nil
}

// newest copies the newest entries out of the journal. Damaged ones are left out.
func (a *Agent) newest(entriesMax uint64) ([]store.Entry, error) {
	last := a.journal.Last()
	return a.entries(last-min(last, entriesMax)+1, last)
}

// entries copies entries out of the journal, a page at a time. Damaged ones are left out.
func (a *Agent) entries(from, to uint64) ([]store.Entry, error) {
	var all []store.Entry
	for from <= to {
		page, err := a.journal.Scan(from, int(min(to-from+1, pageMax)))
		all = append(all, page...)
		from = afterAll(page, from)
		switch {
		case errors.Is(err, store.ErrCorrupt):
			a.log.Error("journal", slog.Any("error", err))
			from++
		case err != nil:
			return nil, err
		case len(page) == 0:
			return all, nil
		}
	}
	return all, nil
}

// recallSTAN finds the newest trace number that a reversal of ours had, however far back. Only a
// host that wants them new makes it look.
func (a *Agent) recallSTAN() error {
	for to := a.journal.Last(); a.profile.StanPolicy().Counts() && a.stanSeq == 0 && to > 0; {
		from := to - min(to, pageMax) + 1
		entries, err := a.entries(from, to)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if payment.Kind(e.Kind) != payment.RecordReversalSent {
				continue
			}
			if _, data, err := record(e); err == nil {
				a.counted(e.Seq, data.STAN)
			}
		}
		to = from - 1
	}
	return nil
}

// fold is a payment as its entries tell it, with what they tell of the terminal.
func (a *Agent) fold(entries []store.Entry) (*held, error) {
	return fold(a.journal, entries, func(e store.Entry, kind payment.Kind, data payload) {
		switch {
		case kind == payment.RecordAsked && data.Original != nil:
			a.keeping.values = iso.ValuesOf(*data.Original)
			a.askedSTAN(e.Seq, data.STAN)
		case kind == payment.RecordReversalSent:
			a.counted(e.Seq, data.STAN)
		}
	})
}

// fold is a payment as its entries tell it; each, where there is one, is shown every entry. It may
// be called by anybody.
func fold(
	journal *store.Journal, entries []store.Entry, each func(store.Entry, payment.Kind, payload),
) (*held, error) {
	p := &held{}
	for _, e := range entries {
		r, data, err := record(e)
		if err != nil {
			return nil, err
		}
		if each != nil {
			each(e, r.Kind, data)
		}
		switch r.Kind {
		case payment.RecordAsked:
			if err := p.recallAsked(journal, e, data); err != nil {
				return nil, err
			}
		case payment.RecordApproved:
			p.kept = data.Kept
		case payment.RecordDeclined:
			p.kept = &iso.Kept{Code: data.Code}
		case payment.RecordReversalSent:
			p.reversalSTAN = data.STAN
		case payment.RecordUnsent, payment.RecordConfirmed, payment.RecordDoubted,
			payment.RecordReversalUnsent,
			payment.RecordReversalAnswered, payment.RecordReversed, payment.RecordStuck,
			payment.RecordReplayed, payment.RecordResolved, payment.RecordLateAnswer,
			payment.RecordStray, payment.RecordHeld, payment.RecordReleased,
			payment.RecordCommand:
		}
		p.state = payment.Apply(p.state, r)
	}
	return p, payment.Invariant(p.state)
}

// recallAsked takes what a reversal needs out of the entry that began the payment.
func (p *held) recallAsked(journal *store.Journal, e store.Entry, data payload) error {
	p.id, p.since = payment.ID(e.Key), e.Wall
	p.key, p.terminal, p.stan = data.Key, data.Terminal, data.STAN
	p.amount, p.currency = data.Amount, data.Currency
	p.appName, p.host = data.App, data.Host
	p.idem, p.reference = data.Idem, data.Reference
	if data.Original != nil {
		p.original = *data.Original
	}
	if len(e.Sealed) == 0 {
		return nil
	}
	secret, err := journal.Unseal(e)
	if err != nil {
		return err
	}
	p.original.Card, p.digest, err = unseal(secret)
	return err
}
