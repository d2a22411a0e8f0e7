package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reversald/agent/payment"
	"reversald/store"
)

// findMax is how many payments one search gives at most, and storiesMax how many it reads on the
// way: a reader with a strange wish costs no more than this.
const (
	findMax    = 500
	storiesMax = 2000
)

// Query is what payments are looked for by; what is empty does not matter.
type Query struct {
	App       string // whose they are
	Terminal  string
	STAN      string
	RRN       string
	Reference string
	Key       string
	State     string // a phase, "open", or "closed"
	Before    uint64 // only those with a smaller number
	Limit     int    // at most so many; 0, and at most: 500
}

// Find looks for payments on file, the newest first. It reads the journal beside its writer, and
// asks Run once. When what was asked for is among more than 2,000 others, it gives what it found.
func (a *Agent) Find(ctx context.Context, q Query) ([]Payment, error) {
	found, _, err := a.search(ctx, q)
	if err != nil {
		return nil, err
	}
	return a.viewsOf(ctx, found)
}

// viewsOf are the payments as they are now: those in memory as Run knows them.
func (a *Agent) viewsOf(ctx context.Context, found []*held) ([]Payment, error) {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		views := make([]Payment, 0, len(found))
		for _, f := range found {
			if p := a.books.byID[f.id]; p != nil {
				views = append(views, a.view(p))
				continue
			}
			views = append(views, onFile(f))
		}
		return views, nil
	})
	if err != nil {
		return nil, err
	}
	return answer.([]Payment), nil
}

// search finds payments in the journal. seen is the newest entry it has looked at.
func (a *Agent) search(ctx context.Context, q Query) (found []*held, seen uint64, err error) {
	rows, seen, err := a.index.find(ctx, q)
	if err != nil {
		return nil, 0, a.unlessStopped(err)
	}
	if q.Limit <= 0 || q.Limit > findMax {
		q.Limit = findMax
	}
	for _, w := range rows {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		from, to := w.entries()
		p, err := a.reread(w.id, from, to)
		if err != nil {
			return nil, 0, a.unlessStopped(err)
		}
		if p == nil || !q.matches(p) {
			continue
		}
		if found = append(found, p); len(found) == q.Limit {
			break
		}
	}
	return found, seen, nil
}

// unlessStopped is an error of the journal, which is no wonder when the agent has stopped.
func (a *Agent) unlessStopped(err error) error {
	select {
	case <-a.stopped:
		return ErrStopped
	default:
		return err
	}
}

// find gives the rows that may be what is looked for, the newest first.
func (r *register) find(ctx context.Context, q Query) (rows []row, seen uint64, err error) {
	if err := r.take(ctx); err != nil {
		return nil, 0, err
	}
	defer r.give()
	want := row{
		rrn: r.hash(q.RRN), reference: r.hash(q.Reference), key: r.hash(q.Key),
		app: r.hash(q.App),
	}
	if q.Terminal != "" && q.STAN != "" {
		want.trace = r.hash(q.Terminal, q.STAN)
	}
	for i := len(r.rows) - 1; i >= 0 && len(rows) < storiesMax; i-- {
		w := &r.rows[i]
		if want.fits(w) && (q.Before == 0 || w.id < q.Before) {
			rows = append(rows, *w)
		}
	}
	return rows, r.seen, nil
}

// fits: every hash that is in a row is the other's too.
func (w *row) fits(other *row) bool {
	fit := func(want, has uint32) bool { return want == 0 || want == has }
	return fit(w.key, other.key) && fit(w.trace, other.trace) && fit(w.rrn, other.rrn) &&
		fit(w.reference, other.reference) && fit(w.app, other.app)
}

// matches: a payment is what is looked for, and not only by its hashes.
func (q *Query) matches(p *held) bool {
	is := func(want, has string) bool { return want == "" || want == has }
	if !is(q.App, p.appName) || !is(q.Terminal, p.terminal) || !is(q.STAN, p.stan) ||
		!is(q.Reference, p.reference) || !is(q.Key, p.idem) {
		return false
	}
	if q.RRN != "" && (p.kept == nil || strings.TrimSpace(p.kept.RRN) != q.RRN &&
		p.kept.RRN != q.RRN) {
		return false
	}
	phase := p.state.Phase
	switch q.State {
	case "", "all":
		return true
	case "open":
		return phase.Open()
	case "closed":
		return !phase.Open()
	}
	return q.State == phase.String()
}

// KnownState says whether payments can be looked for by a word.
func KnownState(word string) bool {
	return word == "" || word == "all" || word == "open" || word == "closed" ||
		slices.ContainsFunc(payment.Phases(), func(p payment.Phase) bool {
			return p.String() == word
		})
}

// Payment is one payment, open or closed, as it is now; ErrNoPayment when none that can be read is
// on file.
func (a *Agent) Payment(ctx context.Context, id uint64) (Payment, error) {
	if p, held, err := a.Look(ctx, id); err != nil || held {
		return p, err
	}
	p, err := a.recall(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	return onFile(p), nil
}

// AppOf is who asked for a payment; "" when that can not be read.
func (a *Agent) AppOf(id uint64) string {
	from, _, known := a.index.place(id)
	if !known {
		return ""
	}
	entries, err := a.journal.Scan(from, 1)
	if err != nil || !begins(entries) || entries[0].Key != id {
		return ""
	}
	return jsonText(entries[0].Payload, "app")
}

// recall is a payment as the journal has it.
func (a *Agent) recall(ctx context.Context, id uint64) (*held, error) {
	if err := a.index.take(ctx); err != nil {
		return nil, a.unlessStopped(err)
	}
	w := a.index.row(id)
	if w == nil {
		a.index.give()
		return nil, fmt.Errorf("%w: %d", ErrNoPayment, id)
	}
	from, to := w.entries()
	a.index.give()
	p, err := a.reread(id, from, to)
	if err == nil && p == nil {
		err = fmt.Errorf("%w: %d", ErrNoPayment, id)
	}
	return p, err
}

// place is where the entries of a payment lie, for whoever does not wait for the first reading of
// the journal: false until that is over.
func (r *register) place(id uint64) (from, to uint64, known bool) {
	if r.behind.Load() || r.take(context.Background()) != nil {
		return 0, 0, false
	}
	defer r.give()
	w := r.row(id)
	if w == nil {
		return 0, 0, false
	}
	from, to = w.entries()
	return from, to, true
}

// reread folds the entries of a payment that lie between two; nil when that is not a payment from
// its beginning, or can not be read.
func (a *Agent) reread(id, from, to uint64) (*held, error) {
	story, err := a.storyBetween(id, from, to)
	if err != nil {
		return nil, err
	}
	if !begins(story) {
		return nil, nil //nolint:nilnil // forgotten, or damaged: nothing to be found
	}
	p, err := fold(a.journal, story, nil)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // damaged: it is found by its number
	}
	return p, nil
}

// storyBetween is what is on file of a payment between two entries. Damaged ones are left out.
func (a *Agent) storyBetween(id, from, to uint64) ([]store.Entry, error) {
	var story []store.Entry
	for from <= to && len(story) < historyMax {
		page, err := a.journal.Scan(from, int(min(to-from+1, pageMax)))
		for _, e := range page {
			if e.Key == id && e.Seq <= to {
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

// escapedText is a text in a payload that has escapes in it.
func escapedText(payload []byte, at int) string {
	in := json.NewDecoder(strings.NewReader("{" + string(payload[at:])))
	var token json.Token
	for range 3 { // the brace, the key, the text
		token, _ = in.Token()
	}
	text, _ := token.(string)
	return text
}
