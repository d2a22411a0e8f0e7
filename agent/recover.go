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
		if err != nil { // an entry of it is lost; it is closed, and only an app may still ask for it
			a.log.Warn("closed payment can not be recalled", slog.Uint64("id", key),
				slog.Any("error", err))
			continue
		}
		if !p.state.Phase.Open() {
			a.books.add(p)
			a.books.forget()
		}
	}
	return nil
}

// newest copies the newest entries out of the journal, a page at a time.
func (a *Agent) newest(entriesMax uint64) ([]store.Entry, error) {
	var all []store.Entry
	last := a.journal.Last()
	for from := last - min(last, entriesMax) + 1; from <= last; {
		page, err := a.journal.Scan(from, int(entriesMax))
		if err != nil && !errors.Is(err, store.ErrCorrupt) {
			return nil, err
		}
		if len(page) == 0 && err == nil {
			break
		}
		all = append(all, page...)
		if len(page) > 0 {
			from = page[len(page)-1].Seq + 1
		}
		if err != nil {
			from++ // what is damaged is said by the journal's own check
		}
	}
	return all, nil
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
		case payment.RecordUnsent, payment.RecordConfirmed, payment.RecordDoubted,
			payment.RecordReversalSent, payment.RecordReversalUnsent,
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
