package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// livePageEntries is how many entries one transaction of a live proof looks at: a millisecond or
// two of work, in which pages that are given up can not be used again.
const livePageEntries = 512

// Progress is how far a live proof has come.
type Progress struct {
	Entry  uint64 // the newest that was looked at
	Last   uint64 // the newest on file
	Faults int    // so far
}

// Verify proves an open journal while it is written to, as the function Verify does files that
// nobody has open. It looks at some hundred entries at a time and lets go of the journal before it
// calls each, which may take as long as it likes, and ends the proof with an error. One proof runs
// at a time; another is ErrBusy. What it reads it reads page by page without bbolt, so that no
// damage can end the process.
func (j *Journal) Verify(ctx context.Context, each func(Progress) error) (Verdict, error) {
	if !j.proving.CompareAndSwap(false, true) {
		return Verdict{}, fmt.Errorf("%w: the journal is being verified", ErrBusy)
	}
	defer j.proving.Store(false)
	const attempts = 5
	p := proving{j: j, entries: livePageEntries, each: each}
	return p.prove(ctx, attempts)
}

// errForgot ends an attempt: entries were forgotten that had been counted.
var errForgot = errors.New("entries were forgotten meanwhile")

// proving is what a live proof is given.
type proving struct {
	j          *Journal
	entries    int  // looked at in one transaction
	anyPayload bool // what can be a card number is no fault
	each       func(Progress) error
}

// prove makes attempts until one has seen the journal from its beginning to its end. One begins
// anew when closed payments were forgotten under it.
func (p proving) prove(ctx context.Context, attempts int) (Verdict, error) {
	for range attempts {
		l := &liveProof{proving: p}
		l.v = verifier{
			o: p.j.opt, out: Verdict{Path: p.j.opt.Path}, anyPayload: p.anyPayload,
		}
		err := l.run(ctx)
		if !errors.Is(err, errForgot) {
			return l.v.out, err
		}
	}
	return Verdict{}, fmt.Errorf("%w: closed payments are being forgotten", ErrBusy)
}

// liveProof is one attempt.
type liveProof struct {
	proving
	v verifier

	from  uint64 // the next page begins here
	ended bool
}

func (l *liveProof) run(ctx context.Context) error {
	j := l.j
	if err := j.alive(); err != nil {
		return err
	}
	if err := l.inside(l.begin); err != nil {
		return err
	}
	l.v.readLiveRing(ctx)
	for !l.ended {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.inside(l.page); err != nil {
			return err
		}
		p := Progress{Entry: l.v.out.Last, Last: j.Last(), Faults: len(l.v.out.Faults)}
		if err := l.each(p); err != nil {
			return err
		}
	}
	l.v.out.Waiting = j.Noted()
	return nil
}

// inside calls fn with what a read transaction sees. Pages that it can see are not written to.
func (l *liveProof) inside(fn func(s *survey) error) error {
	const attempts = 100
	for range attempts {
		moved := false
		err := l.j.ledger.view(func(tx *bolt.Tx) error {
			file, err := pagesOf(l.j.ledger.file, tx)
			if moved = errors.Is(err, errMoved); moved {
				return nil
			}
			if err != nil {
				return err
			}
			return fn(surveyPages(file))
		})
		if !moved || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: its meta pages can not be read", ErrUnreadable)
}

// errMoved: the meta page that the transaction began with has been written over by a newer commit,
// or is damaged.
var errMoved = errors.New("the journal has moved on")

// pagesOf opens the pages that a read transaction sees: those that its own meta page leads to.
func pagesOf(f *os.File, tx *bolt.Tx) (*pageFile, error) {
	txid := uint64(tx.ID()) //nolint:gosec // bbolt counts them from 0
	block := make([]byte, pageBytes)
	if _, err := f.ReadAt(block, int64(txid%2)*pageBytes); err != nil {
		return nil, fmt.Errorf("read meta page: %w", err)
	}
	m, ok := parseBoltMeta(block)
	if !ok || m.txid != txid {
		return nil, errMoved
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file := &pageFile{r: f, size: info.Size()}
	file.start(m)
	return file, nil
}

// begin looks at the structure: that no page is used twice, and none that is free.
func (l *liveProof) begin(s *survey) error {
	v := &l.v
	v.s = s
	m := &s.meta
	v.out.ID, v.out.Terminal, v.out.Format = m.id, m.terminal, int(m.format)
	v.metaPages(l.j.ledger.file)
	v.out.Faults = append(v.out.Faults, s.faults...)
	if !s.metaOK {
		l.ended = true
		return nil
	}
	v.w, v.fold = newWalker(l.j.keys.newChainer(), m, s.bridges), make(pending)
	faults := len(s.faults)
	if len(s.log) > 0 {
		if root := binary.NativeEndian.Uint64(s.log[0].value); root != 0 {
			s.file.markTree(root, s.bad("log"))
		}
	}
	s.file.checkFree(s.bad("freelist"))
	v.out.Faults = append(v.out.Faults, s.faults[faults:]...)
	return nil
}

// page looks at the next entries and, behind the last of them, compares index and counts with what
// the entries add up to, all in the state that this transaction sees.
func (l *liveProof) page(s *survey) error {
	v := &l.v
	if !s.metaOK {
		v.out.Faults = append(v.out.Faults, s.faults...)
		l.ended = true
		return nil
	}
	if s.meta.base != v.w.meta.base || s.meta.kept != v.w.meta.kept {
		return errForgot
	}
	v.s = s
	before, count := len(s.faults), 0
	stopped := s.readLogFrom(l.from, func(seq uint64, raw []byte) bool {
		if count == l.entries {
			l.from = seq
			return false
		}
		count++
		v.entry(seq, raw)
		return true
	})
	v.out.Faults = append(v.out.Faults, s.faults[before:]...)
	if stopped {
		return nil
	}
	l.ended = true
	v.sum()
	return nil
}
