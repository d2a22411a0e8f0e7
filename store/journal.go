package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// Journal is an open journal. Append, Note, Flush and Close belong to one goroutine; everything
// else may be called from any.
type Journal struct {
	opt    Options
	meta   journalMeta
	keys   *keyring
	ledger *ledger

	// Owned by the goroutine that writes.
	chainer  *chainer
	seq      uint64   // newest given out, noted ones included
	chain    [16]byte // of that entry
	size     int64    // bytes of the bbolt file
	payments uint64   // stories on file
	batch    []record // what the next commit takes; what was noted comes first
	arena    []byte   // the bytes of batch
	sweep    *orphanSweep
	mark     *mark
	sealed   []byte

	ringMu sync.Mutex // the ring's index and tip: Facts looks at them while the writer works
	ring   *ring
	tip    pending // open keys, noted entries included

	last  atomic.Uint64 // newest entry in both files
	noted atomic.Int64

	proving atomic.Bool // by Verify

	mu            sync.Mutex // all below
	shown         pending    // open keys as of last
	shownPayments uint64     // stories on file as of last
	changed       chan struct{}
	facts         Facts
	dead          error // why nothing works any more
}

// Append writes drafts, and before them what was noted, in one transaction of bbolt and one pass
// over the ring, and returns when both are on the medium. The drafts get consecutive seqs from
// first. Without drafts it commits what was noted, and first is 0.
//
// ErrRefused and ErrFull change nothing. Any other error is ErrUnknown: what is on the disk is
// known to nobody, nothing may be done on the strength of these drafts, and every later call
// returns the same error. The process should end; the next Open finds out.
func (j *Journal) Append(ds ...Draft) (first uint64, err error) {
	if err := j.admit(ds); err != nil {
		return 0, err
	}
	if len(ds) > 0 {
		first = j.seq + 1
	}
	if err := j.write(ds); err != nil {
		return 0, j.die(err)
	}
	if len(j.batch) == 0 {
		return 0, nil
	}
	if err := j.commit(); err != nil {
		return 0, j.die(err)
	}
	j.publish()
	j.mark.set(j.seq)
	return first, nil
}

// Note writes one draft where it survives the end of this process, but not a power cut, and does
// not wait for the medium. Readers see it after the next Append or Flush, which commits it. When
// much has been noted since, it commits that first.
func (j *Journal) Note(d Draft) (uint64, error) {
	if j.ring.unsynced >= notedSlotsMax {
		if err := j.Flush(); err != nil {
			return 0, err
		}
	}
	ds := []Draft{d}
	if err := j.admit(ds); err != nil {
		return 0, err
	}
	if err := j.write(ds); err != nil {
		return 0, j.die(err)
	}
	j.ring.queue()
	if err := j.ring.write(); err != nil {
		return 0, j.die(err)
	}
	j.noted.Store(int64(len(j.batch)))
	return j.seq, nil
}

// Flush commits what was noted.
func (j *Journal) Flush() error {
	_, err := j.Append()
	return err
}

// Close commits what was noted and lets go of the files. It waits for readers.
func (j *Journal) Close() error {
	j.mu.Lock()
	dead := j.dead
	j.mu.Unlock()
	if errors.Is(dead, ErrClosed) {
		return nil
	}
	var err error
	if dead == nil {
		err = j.Flush()
	}
	j.mu.Lock()
	if j.dead == nil {
		j.dead = ErrClosed
	}
	j.mu.Unlock()
	err = errors.Join(err, j.ledger.close(), j.ring.file.Close())
	j.mark.close(j.opt.Path, j.Last(), dead == nil && err == nil)
	return err
}

// admit refuses, before anything is changed, what cannot be written.
func (j *Journal) admit(ds []Draft) error {
	if err := j.alive(); err != nil {
		return err
	}
	sum, spare := 0, int64(0)
	for i := range ds {
		d := &ds[i]
		if err := checkDraft(d, j.seq+1+uint64(i)); err != nil {
			return err
		}
		sum += EntryOverheadBytes + len(d.Payload) + len(d.Secret)
		if _, open := j.tip[d.Key]; d.Mark == MarkOpen && !open && !d.Again {
			spare = reserveBytes
		}
	}
	if sum > BatchBytesMax {
		return fmt.Errorf("%w: %d drafts of %d bytes, limit %d", ErrRefused,
			len(ds), sum, BatchBytesMax)
	}
	if err := j.room(spare); err != nil {
		if errors.Is(err, ErrFull) {
			return err
		}
		return j.die(err)
	}
	return nil
}

// write encodes drafts into the batch and places them in the ring. Nothing reaches a file yet.
func (j *Journal) write(ds []Draft) error {
	j.ringMu.Lock()
	defer j.ringMu.Unlock()
	acked := j.last.Load()
	for i := range ds {
		d := &ds[i]
		e := Entry{
			Seq: j.seq + 1, Key: d.Key, Kind: d.Kind, Mark: d.Mark, Wall: d.Wall, Mono: d.Mono,
			Boot: j.opt.Boot, Payload: d.Payload,
		}
		if len(d.Secret) > 0 {
			var err error
			j.sealed, err = j.keys.seal(j.sealed[:0], d.Secret, e.Seq, e.Key, e.Kind)
			if err != nil {
				return err
			}
			e.Sealed = j.sealed
		}
		e.Prev = j.tip.apply(e.Seq, e.Key, e.Mark)
		if begins(&e) {
			j.payments++
		}
		start := len(j.arena)
		j.arena = appendEntry(j.arena, &e)
		j.chain = j.chainer.next(j.chain, j.arena[start:])
		j.arena = finishEntry(j.arena, start, j.chain)
		raw := j.arena[start:len(j.arena):len(j.arena)]
		j.seq = e.Seq
		j.batch = append(j.batch, record{seq: e.Seq, key: e.Key, mark: e.Mark, raw: raw})
		j.ring.put(e.Seq, e.Key, raw, acked)
	}
	return nil
}

// commit makes the batch durable in both places side by side. The ring starts when bbolt is about
// to write: its flush then falls between bbolt's two, where the device would have been idle.
// Started earlier it comes in front of bbolt's first, which waits for it; measured, that costs
// another twentieth of a commit.
func (j *Journal) commit() error {
	j.ringMu.Lock()
	j.ring.finish(j.last.Load())
	j.ringMu.Unlock()
	var ringDone chan error
	err := j.ledger.update(func(tx *bolt.Tx) error {
		err := errors.Join(putRecords(tx, j.batch, j.tip), putPayments(tx, j.payments))
		if err != nil {
			return err
		}
		ringDone = make(chan error, 1)
		go func() { ringDone <- j.ring.commit() }()
		return nil
	})
	if err != nil {
		err = fmt.Errorf("commit: %w", err)
	}
	if ringDone != nil {
		err = errors.Join(err, <-ringDone)
	}
	return err
}

// publish shows the batch to readers. From here on a power cut takes nothing of it back.
func (j *Journal) publish() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.batch {
		j.shown.apply(r.seq, r.key, r.mark)
	}
	j.shownPayments = j.payments
	j.last.Store(j.seq)
	j.facts.Size = j.size
	j.batch, j.arena = j.batch[:0], j.arena[:0]
	j.noted.Store(0)
	close(j.changed)
	j.changed = make(chan struct{})
}

// die makes err the answer to every later call, and leaves word for the next Open.
func (j *Journal) die(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dead == nil {
		leaveSuspicion(j.opt.Path, err)
		j.dead = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return j.dead
}

func (j *Journal) alive() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.dead
}

// Noted counts what waits for the next Append or Flush.
func (j *Journal) Noted() int { return int(j.noted.Load()) }

// Last is the newest entry that is on the medium, 0 when there is none.
func (j *Journal) Last() uint64 { return j.last.Load() }

// Next is the seq that the next draft gets. It belongs to the goroutine that writes.
func (j *Journal) Next() uint64 { return j.seq + 1 }

// Changed returns a channel that is closed by the next commit. Take it before looking, so that no
// commit falls between the look and the wait.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

// OpenKeys lists the keys that are open, ascending, without what is only noted.
func (j *Journal) OpenKeys() []uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.shown.keys()
}
