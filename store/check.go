package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Fault is something wrong with one entry.
type Fault struct {
	Seq     uint64
	Problem string // in words, without any of the entry's content
}

// Checked is what Check found in one page.
type Checked struct {
	Next   uint64  // go on from here; 0 when the end was reached
	Count  int     // entries looked at, good or not
	Faults []Fault // in order
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
	from = max(min(from, last+1), j.meta.base+1)
	w := walker{c: j.keys.newChainer(), next: from}
	err := j.ledger.view(func(tx *bolt.Tx) error {
		log := tx.Bucket(bucketLog)
		w.start(j, log)
		c := log.Cursor()
		for k, v := c.Seek(logKey(from)); ; k, v = c.Next() {
			seq := last + 1
			if len(k) == 8 {
				seq = min(binary.BigEndian.Uint64(k), seq)
			}
			if seq > w.next {
				w.missing(w.next, seq-1)
			}
			w.next = seq
			if seq > last {
				return nil
			}
			if out.Count == min(limit, pageEntriesMax) {
				out.Next = seq
				return nil
			}
			out.Count++
			w.step(seq, v)
		}
	})
	out.Faults = w.faults
	return out, err
}

// walker follows the chain.
type walker struct {
	c      *chainer
	next   uint64   // expected
	chain  [16]byte // of the entry before
	known  bool     // whether that is known
	faults []Fault
}

func (w *walker) fault(seq uint64, format string, args ...any) {
	w.faults = append(w.faults, Fault{Seq: seq, Problem: fmt.Sprintf(format, args...)})
}

// start finds the chain of the entry before the first.
func (w *walker) start(j *Journal, log *bolt.Bucket) {
	if w.next == j.meta.base+1 {
		w.chain, w.known = j.meta.chain, true
		return
	}
	if e, err := decodeAt(w.next-1, log.Get(logKey(w.next-1))); err == nil {
		w.chain, w.known = e.Chain, true
	}
}

func (w *walker) missing(first, last uint64) {
	w.known = false
	if first == last {
		w.fault(first, "missing")
		return
	}
	w.fault(first, "missing, up to %d", last)
}

func (w *walker) step(seq uint64, v []byte) {
	w.next = seq + 1
	e, err := decodeAt(seq, v)
	if err != nil {
		w.known = false
		w.fault(seq, "%v", err)
		return
	}
	if w.known && w.c.next(w.chain, chainedBytes(v)) != e.Chain {
		w.fault(seq, "does not follow the entry before it: one of them was altered")
	}
	w.chain, w.known = e.Chain, true
}
