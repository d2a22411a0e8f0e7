package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
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

// Checked is what Check found in one page.
type Checked struct {
	Next   uint64  // go on from here; 0 when the end was reached
	Count  int     // entries looked at, good or not
	Faults []Fault // in order
	Lost   []Range // gaps that an earlier damage left, and a salvage has marked
}

// Check walks at most limit entries, and never more than 1,024, from seq from on: that they decode,
// that none is missing, that each follows the one before it in the chain, and that none refers to
// an entry that is not before it. After a fault the walk goes on with the chain that stands in
// the entry. Start with 0. The error is for a file that cannot be walked at all.
func (j *Journal) Check(from uint64, limit int) (Checked, error) {
	var out Checked
	if err := j.alive(); err != nil {
		return out, err
	}
	last := j.Last()
	var w *walker
	err := j.ledger.view(func(tx *bolt.Tx) error {
		var err error
		if w, err = j.walkFrom(tx, min(from, last+1)); err != nil {
			return err
		}
		c := logOf(tx).cursor()
		for k, v := c.seek(from); ; k, v = c.next() {
			seq := last + 1
			if len(k) == 8 {
				seq = min(binary.BigEndian.Uint64(k), seq)
			}
			if seq > last {
				w.end(last)
				return nil
			}
			if out.Count == min(limit, pageEntriesMax) {
				out.Next = seq
				w.gap(seq)
				return nil
			}
			out.Count++
			w.step(seq, v)
		}
	})
	if w != nil {
		out.Faults, out.Lost = w.faults, w.lost
	}
	return out, err
}

// walkFrom makes a walker that knows what stands before seq from.
func (j *Journal) walkFrom(tx *bolt.Tx, from uint64) (*walker, error) {
	var m journalMeta
	if err := m.read(tx); err != nil {
		return nil, err
	}
	b, err := readBridges(tx)
	if err != nil {
		return nil, fmt.Errorf("bridges: %w", err)
	}
	w := newWalker(j.keys.newChainer(), &m, b)
	if from > 0 {
		w.resume(from, logOf(tx).get(from-1))
	}
	return w, nil
}

// SelfCheck walks the whole journal, a page at a time, and keeps what it found for Facts. rest is
// called between two pages. A journal with faults is suspect: the next Open copies what is good
// into new files. It returns early without a finding when ctx ends or the journal is closed.
func (j *Journal) SelfCheck(ctx context.Context, rest func()) (Checked, error) {
	const pageEntries = 256
	var all Checked
	for from := uint64(0); ctx.Err() == nil; {
		c, damage := j.Check(from, pageEntries)
		if damage != nil {
			if err := j.alive(); err != nil {
				return all, err
			}
			c.Faults = append(c.Faults, Fault{Problem: damage.Error()})
		}
		all.Count += c.Count
		all.Faults = append(all.Faults, c.Faults...)
		all.Lost = append(all.Lost, c.Lost...)
		if from = c.Next; from == 0 || damage != nil {
			break
		}
		rest()
	}
	if ctx.Err() != nil {
		return all, ctx.Err()
	}
	j.selfChecked(&all)
	return all, nil
}

// selfChecked keeps the result, and lets go of the file of an older format: the new one is proven.
func (j *Journal) selfChecked(c *Checked) {
	j.mu.Lock()
	j.facts.Checked, j.facts.Faults, j.facts.Lost = c.Count, c.Faults, c.Lost
	suspect := len(c.Faults) > 0 && j.dead == nil
	j.mu.Unlock()
	if suspect {
		leaveSuspicion(j.opt.Path, fmt.Errorf("the check in the background: %s", c.Faults[0]))
		return
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

// resume begins at seq from, with the value of the entry before it.
func (w *walker) resume(from uint64, before []byte) {
	if from > w.meta.base+1 {
		w.next, w.behind = from, true
	}
	if e, err := decodeAt(from-1, before); err == nil {
		w.next, w.chain, w.known = from, e.Chain, true
	}
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
