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
	if err := a.recallClosed(); err != nil {
		return err
	}
	if err := a.recallSTAN(); err != nil {
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
		if err != nil {
			return fmt.Errorf("payment %d: %w", key, err)
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

// followUp puts a payment that was doubted before the restart back in the queue.
func (a *Agent) followUp(p *held) {
	if p.state.Phase == payment.Doubted {
		a.queue.Owe(uint64(p.id), p.terminal, p.state.Attempts, a.now())
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

// newest copies the newest entries out of the journal, a page at a time. Damaged ones are left out.
func (a *Agent) newest(entriesMax uint64) ([]store.Entry, error) {
	var all []store.Entry
	last := a.journal.Last()
	for from := last - min(last, entriesMax) + 1; from <= last; {
		page, err := a.journal.Scan(from, pageMax)
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

// recallSTAN finds the newest trace number that a reversal of ours had. Only a host that wants them
// new makes it look further back than the newest entries.
func (a *Agent) recallSTAN() error {
	const page = 1024
	for to := a.journal.Last(); a.profile.StanPolicy().Counts() && a.stanSeq == 0 && to > 0; {
		from := uint64(1)
		if to > page {
			from = to - page + 1
		}
		entries, err := a.journal.Scan(from, page)
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

// fold is a payment as its entries tell it.
func (a *Agent) fold(entries []store.Entry) (*held, error) {
	p := &held{}
	for _, e := range entries {
		r, data, err := record(e)
		if err != nil {
			return nil, err
		}
		switch r.Kind {
		case payment.RecordAsked:
			if err := a.recallAsked(p, e, data); err != nil {
				return nil, err
			}
		case payment.RecordApproved:
			p.kept = data.Kept
		case payment.RecordDeclined:
			p.kept = &iso.Kept{Code: data.Code}
		case payment.RecordReversalSent:
			p.reversalSTAN = data.STAN
			a.counted(e.Seq, data.STAN)
		case payment.RecordUnsent, payment.RecordConfirmed, payment.RecordDoubted,
			payment.RecordReversalUnsent,
			payment.RecordReversalAnswered, payment.RecordReversed, payment.RecordStuck,
			payment.RecordReplayed, payment.RecordResolved, payment.RecordLateAnswer,
			payment.RecordStray:
		}
		p.state = payment.Apply(p.state, r)
	}
	return p, payment.Invariant(p.state)
}

// recallAsked takes what a reversal needs out of the entry that began the payment.
func (a *Agent) recallAsked(p *held, e store.Entry, data payload) error {
	p.id, p.since = payment.ID(e.Key), e.Wall
	p.key, p.terminal, p.stan = data.Key, data.Terminal, data.STAN
	p.amount, p.currency = data.Amount, data.Currency
	p.appName, p.host = data.App, data.Host
	if data.Original != nil {
		a.keeping.values = iso.ValuesOf(*data.Original)
	}
	if data.Original != nil {
		p.original = *data.Original
	}
	if len(e.Sealed) == 0 {
		return nil
	}
	secret, err := a.journal.Unseal(e)
	if err != nil {
		return err
	}
	p.original.Card, err = iso.ParseCard(secret)
	return err
}
