package agent

import (
	"errors"
	"slices"

	"reversald/agent/payment"
	"reversald/store"
)

// historyMax is how many entries one payment's story shows at most: a reversal that nobody answered
// for a year.
const historyMax = 20000

// pageMax is how many entries are copied at a time: as many as the journal gives.
const pageMax = 1024

// Lines copies entries out of the journal, for readers. It may be called by anybody: the journal
// serves readers and its one writer at the same time.
//
// An entry that can be read in neither file is shown as damaged, under its number, and several that
// are gone since a salvage under the first of theirs.
func (a *Agent) Lines(from uint64, limit int) ([]Line, error) {
	var all []Line
	for len(all) < limit {
		entries, damage := a.journal.Scan(from, limit-len(all))
		if damage != nil && !errors.Is(damage, store.ErrCorrupt) {
			return nil, damage
		}
		lines, err := a.lines(entries)
		if err != nil {
			return nil, err
		}
		all = append(all, a.withGaps(from, lines)...)
		if damage == nil || len(all) >= limit {
			break
		}
		from = afterAll(entries, from)
		all = append(all, Line{Seq: from, Kind: "damaged", payload: payload{Why: damage.Error()}})
		from++
	}
	return all[:min(limit, len(all))], nil
}

// withGaps puts a line where a salvage has left a gap. What was forgotten leaves none.
func (a *Agent) withGaps(from uint64, lines []Line) []Line {
	next := max(from, a.journal.Facts().First)
	for i := 0; i < len(lines); i++ {
		if seq := lines[i].Seq; next != 0 && seq > next {
			gone := store.Range{First: next, Last: seq - 1}
			lines = slices.Insert(lines, i, Line{
				Seq: next, Kind: "damaged",
				payload: payload{Why: "entry " + gone.String() + ": gone in both files"},
			})
			i++
		}
		next = max(next, lines[i].Seq+1)
	}
	return lines
}

// Story is everything on file about one payment, oldest first.
func (a *Agent) Story(id uint64) ([]Line, error) {
	entries, err := a.storyEntries(id)
	if err != nil {
		return nil, err
	}
	return a.lines(entries)
}

func (a *Agent) storyEntries(id uint64) ([]store.Entry, error) {
	if from, to, known := a.index.place(id); known {
		return a.storyBetween(id, from, to)
	}
	entries, err := a.journal.History(id, historyMax)
	if errors.Is(err, store.ErrCorrupt) {
		return a.storyAround(id)
	}
	return entries, err
}

// storyAround is what can be read about one payment in a journal with damaged entries.
func (a *Agent) storyAround(id uint64) ([]store.Entry, error) {
	var story []store.Entry
	for from := id; from <= a.journal.Last() && len(story) < historyMax; {
		page, err := a.journal.Scan(from, pageMax)
		for _, e := range page {
			if e.Key == id {
				story = append(story, e)
			}
		}
		from = afterAll(page, from)
		switch {
		case errors.Is(err, store.ErrCorrupt):
			from++
		case err != nil:
			return nil, err
		case len(page) == 0:
			return story, nil
		}
	}
	return story, nil
}

// afterAll is the number that follows a page of entries which began at from.
func afterAll(page []store.Entry, from uint64) uint64 {
	if len(page) == 0 {
		return max(from, 1)
	}
	return page[len(page)-1].Seq + 1
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
	card, _, err := unseal(secret)
	if err != nil {
		return ""
	}
	return card.PAN.Masked()
}
