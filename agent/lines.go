package agent

import (
	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// historyMax is how many entries one payment's story shows at most: a reversal that nobody answered
// for a year.
const historyMax = 20000

// Lines copies entries out of the journal, for readers. It may be called by anybody: the journal
// serves readers and its one writer at the same time.
func (a *Agent) Lines(from uint64, limit int) ([]Line, error) {
	entries, err := a.journal.Scan(from, limit)
	if err != nil {
		return nil, err
	}
	return a.lines(entries)
}

// Story is everything on file about one payment, oldest first.
func (a *Agent) Story(id uint64) ([]Line, error) {
	entries, err := a.journal.History(id, historyMax)
	if err != nil {
		return nil, err
	}
	return a.lines(entries)
}

// Newest is the sequence number of the newest entry on file.
func (a *Agent) Newest() uint64 { return a.journal.Last() }

// Changed is closed when the journal next grows.
func (a *Agent) Changed() <-chan struct{} { return a.journal.Changed() }

func (a *Agent) lines(entries []store.Entry) ([]Line, error) {
	lines := make([]Line, 0, len(entries))
	for _, e := range entries {
		l, err := line(e, a.maskedCard(e))
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// maskedCard is the card number of the entry that began a payment, as people may see it.
func (a *Agent) maskedCard(e store.Entry) string {
	if payment.Kind(e.Kind) != payment.RecordAsked || len(e.Sealed) == 0 {
		return ""
	}
	secret, err := a.journal.Unseal(e)
	if err != nil {
		return "" // sealed with a key that is gone: the entry itself is still worth reading
	}
	card, err := iso.ParseCard(secret)
	if err != nil {
		return ""
	}
	return card.PAN.Masked()
}
