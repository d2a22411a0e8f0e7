package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// Fault is something wrong with a file of a journal.
type Fault struct {
	File    string // empty: the bbolt file
	Page    uint64 // of the bbolt file, or slot of the ring; 0: not about one
	Seq     uint64 // 0: not about one entry
	Problem string // in words, without any of an entry's content
}

// String is one line for a person.
func (f Fault) String() string {
	where := f.File
	if f.Seq != 0 {
		where += " entry " + strconv.FormatUint(f.Seq, 10)
	}
	if f.Page != 0 {
		where += " page " + strconv.FormatUint(f.Page, 10)
	}
	if where == "" {
		return f.Problem
	}
	if where[0] == ' ' {
		where = where[1:]
	}
	return where + ": " + f.Problem
}

// Range is entries that follow each other.
type Range struct{ First, Last uint64 }

// String is "5" or "5 to 9".
func (r Range) String() string {
	if r.First == r.Last {
		return strconv.FormatUint(r.First, 10)
	}
	return fmt.Sprintf("%d to %d", r.First, r.Last)
}

// SelfCheck is Verify for the daemon itself, which calls it once after the start: some entries at a
// time, with rest called in between, until all were seen. What it found it keeps for Facts. A
// journal with faults is suspect: the next Open copies what is good into new files. It returns
// early without a finding when ctx ends or the journal is closed. Payloads that look like card
// numbers are no fault here, as no copy would mend them.
func (j *Journal) SelfCheck(ctx context.Context, rest func()) (Verdict, error) {
	const (
		pageEntries = 256
		attempts    = 1000 // until retention has nothing to do
	)
	p := proving{j: j, entries: pageEntries, anyPayload: true, each: func(Progress) error {
		rest()
		return ctx.Err()
	}}
	v, err := p.prove(ctx, attempts)
	if errors.Is(err, ErrUnreadable) && j.alive() == nil {
		v.Faults, err = append(v.Faults, Fault{Problem: err.Error()}), nil
	}
	if err != nil {
		return v, err
	}
	j.selfChecked(&v)
	return v, nil
}

// selfChecked keeps the result, and lets go of the file of an older format: the new one is proven.
func (j *Journal) selfChecked(v *Verdict) {
	j.mu.Lock()
	j.facts.Checked, j.facts.Faults, j.facts.Lost = v.Entries, v.Faults, v.Lost
	live := j.dead == nil
	j.mu.Unlock()
	for _, f := range v.Faults {
		if live && f.File == "" { // the ring is mended by every start
			leaveSuspicion(j.opt.Path, fmt.Errorf("the check in the background: %s", f))
			return
		}
	}
	dropOlderFormats(j.opt.Path)
}

// walker follows the chain through the entries of a log, given to step in order.
type walker struct {
	c       *chainer
	meta    *journalMeta
	bridges bridges

	next   uint64   // expected; 0: nothing yet
	chain  [16]byte // of the entry before
	known  bool     // whether that is known
	behind bool     // whether the walk is behind base
	kept   uint64   // entries met at or before base
	faults []Fault
	lost   []Range
}

func newWalker(c *chainer, m *journalMeta, b bridges) *walker {
	return &walker{c: c, meta: m, bridges: b}
}

func (w *walker) fault(seq uint64, format string, args ...any) {
	w.faults = append(w.faults, Fault{Seq: seq, Problem: fmt.Sprintf(format, args...)})
}

// gap deals with what may be missing before seq.
func (w *walker) gap(seq uint64) {
	if seq > w.meta.base && !w.behind {
		w.behind = true
		w.next, w.chain, w.known = w.meta.base+1, w.meta.chain, true
	}
	if seq == w.next {
		return
	}
	chain, known, bridged := w.bridges.before(seq)
	w.chain, w.known = chain, known
	switch {
	case bridged && w.behind:
		w.lost = append(w.lost, Range{w.next, seq - 1})
	case bridged:
	case w.behind:
		w.missing(seq - 1)
	default:
		w.fault(seq, "was kept, and nothing says what was before it")
	}
	w.next = seq
}

func (w *walker) missing(last uint64) {
	if w.next == last {
		w.fault(w.next, "missing")
		return
	}
	w.fault(w.next, "missing, up to %d", last)
}

// end says which entry should have been the last.
func (w *walker) end(last uint64) {
	w.gap(last + 1)
}

// step takes the next entry there is.
func (w *walker) step(seq uint64, v []byte) (Entry, bool) {
	w.gap(seq)
	w.next = seq + 1
	if !w.behind {
		w.kept++
	}
	e, err := decodeAt(seq, v)
	if err != nil {
		w.known = false
		w.fault(seq, "%v", err)
		return e, false
	}
	if w.known && w.c.mac != nil && w.c.next(w.chain, chainedBytes(v)) != e.Chain {
		w.fault(seq, "does not follow the entry before it: one of them was altered")
	}
	w.chain, w.known = e.Chain, true
	return e, true
}
