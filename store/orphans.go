package store

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// orphanScanMax is how many entries one Forget looks through for the ends of stories: some
// milliseconds, while nobody waits.
const orphanScanMax = 4096

// orphanSweep looks for pieces that nothing would ever take away. A piece of a story waits before
// base for the entry that closed its key, because they go together. Where damage has taken that
// entry, or one on the way back from it, the piece would wait for ever. So one goes by itself when
// its key is not open, and no entry behind base belongs to it.
type orphanSweep struct {
	base uint64              // as it was at the beginning
	next uint64              // where to look on
	left map[uint64][]uint64 // pieces by key, of which the end was not met so far
	done bool
}

// orphans goes on with the search, and puts what it has found, at the end, among what is forgotten.
func (f *forgetting) orphans(_ *bolt.Tx, log entryLog) error {
	if f.was.kept == 0 {
		return nil
	}
	s := f.j.sweep
	if s == nil || s.base != f.was.base {
		s = &orphanSweep{base: f.was.base, next: f.was.base + 1}
		s.left = f.waiting(log)
		f.j.sweep = s
	}
	s.done = s.done || len(s.left) == 0
	if s.done || !s.scan(log) {
		return nil
	}
	s.done = true
	for key, seqs := range s.left {
		for _, seq := range seqs {
			e, err := decodeAt(seq, log.get(seq))
			if _, open := f.j.tip[key]; !open && err == nil && len(f.gone) < forgetMax {
				f.forget(&e)
			}
		}
	}
	return nil
}

// waiting is what stands before base and belongs to no open key.
func (f *forgetting) waiting(log entryLog) map[uint64][]uint64 {
	left, n := make(map[uint64][]uint64), 0
	c := log.cursor()
	for k, v := c.seek(0); len(k) == 8 && n < forgetMax; k, v = c.next() {
		seq := binary.BigEndian.Uint64(k)
		if seq > f.was.base {
			break
		}
		e, err := decodeAt(seq, v)
		if _, open := f.j.tip[e.Key]; open || err != nil {
			continue
		}
		left[e.Key] = append(left[e.Key], seq)
		n++
	}
	return left
}

// scan looks through the next entries, and is true at the end of the log. What can not be read may
// be the end of any story: then nothing is an orphan.
func (s *orphanSweep) scan(log entryLog) bool {
	c := log.cursor()
	k, v := c.seek(s.next)
	for range orphanScanMax {
		if len(k) != 8 {
			return k == nil
		}
		seq := binary.BigEndian.Uint64(k)
		e, err := decodeAt(seq, v)
		if err != nil {
			s.done = true
			return false
		}
		delete(s.left, e.Key)
		s.next = seq + 1
		k, v = c.next()
	}
	return k == nil
}
