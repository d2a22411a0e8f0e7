package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// forgetMax is how many entries one Forget takes away: a commit of that size is done in the time
// of a few ordinary ones.
const forgetMax = 500

// Retention is how long closed payments are kept. Whatever limit is reached first counts. Open
// ones are never touched, whatever the limits say.
type Retention struct {
	Age      time.Duration // since an entry was written, by its wall time; 0: any age
	Payments int           // at most so many on file, open ones counted; 0: any number
	Bytes    int64         // of the file in use; 0, and at most: three quarters of its limit
}

// Forget takes the oldest closed payments out of the journal, as far as the limits say and at most
// 500 entries of them, in one commit, and returns how many entries that were: 0 when there is
// nothing to forget. It belongs to the goroutine that writes, which calls it when it is idle,
// until it returns 0.
//
// Age is counted from now or from the newest entry, whichever is earlier, so that a clock that has
// jumped ahead forgets nothing before it is believed. An entry without a time is as old as the one
// before it.
//
// Pieces of stories of which damage has taken the end go too, when base has passed all of them.
//
// What is left still proves itself: see bridges.
func (j *Journal) Forget(now time.Time, limits Retention) (n int, err error) {
	if err := j.alive(); err != nil {
		return 0, err
	}
	most := min(j.opt.SizeMax/4*3, j.opt.SizeMax-reserveBytes-2*commitBytesMax)
	if limits.Bytes == 0 || limits.Bytes > most {
		limits.Bytes = most
	}
	f := &forgetting{j: j, limits: limits, now: now, gone: make(map[uint64]bool)}
	if err := j.ledger.viewLog(f.plan); err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	if f.meta.base == f.was.base && len(f.gone) == 0 {
		if err := j.ledger.viewLog(f.orphans); err != nil {
			return 0, fmt.Errorf("forget: %w", err)
		}
	}
	if f.meta.base == f.was.base && len(f.gone) == 0 {
		return 0, nil
	}
	if err := j.ledger.viewLog(f.lookBeside); err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	if err := j.room(0); err != nil {
		return 0, err
	}
	if err := j.ledger.update(f.commit); err != nil {
		return 0, j.die(fmt.Errorf("forget: %w", err))
	}
	j.payments -= f.payments
	j.mu.Lock()
	j.meta = f.meta
	j.shownPayments -= f.payments
	j.mu.Unlock()
	return len(f.gone), nil
}

// forgetting is one Forget. It looks at the next entries behind base. A closed payment goes when
// the entry that closed it comes by, all of it at once; until then its entries stay, as those of
// open payments do, and base passes them by.
type forgetting struct {
	j      *Journal
	limits Retention
	now    time.Time
	cutoff time.Time
	wall   time.Time // of the newest entry looked at that has one

	was, meta journalMeta
	bridges   bridges // as they were
	used      int64   // bytes, this forgetting counted

	window   []passed
	gone     map[uint64]bool
	payments uint64 // that are forgotten
}

// passed is an entry of the window.
type passed struct {
	seq    uint64
	chain  [16]byte
	before [16]byte // chain of the entry before, if known
	known  bool
	stays  bool
}

// lookBeside looks at what bbolt meets when it takes the entries out.
func (f *forgetting) lookBeside(_ *bolt.Tx, log entryLog) error {
	return log.lookBeside(f.seqs())
}

func (f *forgetting) seqs() []uint64 { return slices.Sorted(maps.Keys(f.gone)) }

func (f *forgetting) plan(tx *bolt.Tx, log entryLog) (err error) {
	if err := f.was.read(tx); err != nil {
		return err
	}
	if f.bridges, err = readBridges(tx); err != nil {
		return err
	}
	f.meta = f.was
	f.used = tx.Size() - int64(f.j.ledger.db.Stats().FreePageN)*pageBytes
	f.setCutoff(log)
	c := log.cursor()
	for k, v := c.seek(f.was.base + 1); len(f.gone) < forgetMax; k, v = c.next() {
		if len(k) != 8 || len(f.window) >= forgetMax {
			break
		}
		seq := binary.BigEndian.Uint64(k)
		e, damage := decodeAt(seq, v)
		due := damage == nil && seq < f.j.Last() && f.due(&e)
		if !due || !f.pass(log, &e) {
			break // what is damaged is for a rebuild; the newest stays in any case
		}
	}
	return nil
}

// setCutoff counts the age from now or from the newest entry, and finds the first time there is.
func (f *forgetting) setCutoff(log entryLog) {
	newest := f.now
	e, err := decodeAt(f.j.Last(), log.get(f.j.Last()))
	if err == nil && !e.Wall.IsZero() && e.Wall.Before(f.now) {
		newest = e.Wall
	}
	f.cutoff = newest.Add(-f.limits.Age)
	c := log.cursor()
	k, v := c.seek(f.was.base + 1)
	for range forgetMax {
		if len(k) != 8 || !f.wall.IsZero() {
			return
		}
		if e, err := decodeEntry(v); err == nil {
			f.wall = f.timeOf(&e)
		}
		k, v = c.next()
	}
}

// timeOf is when an entry was written: its own time or, when that is not known or lies in the
// future, that of the entry before.
func (f *forgetting) timeOf(e *Entry) time.Time {
	if e.Wall.IsZero() || e.Wall.After(f.now) {
		return f.wall
	}
	return e.Wall
}

// due says whether a limit asks for this entry.
func (f *forgetting) due(e *Entry) bool {
	f.wall = f.timeOf(e)
	switch l := &f.limits; {
	case f.used > l.Bytes:
		return true
	case l.Payments > 0 && f.j.shownPayments-f.payments > uint64(l.Payments):
		return true
	default:
		return l.Age > 0 && !f.wall.IsZero() && f.wall.Before(f.cutoff)
	}
}

// pass moves base behind an entry. false: there is no room for that in this batch.
func (f *forgetting) pass(log entryLog, e *Entry) bool {
	p := passed{seq: e.Seq, chain: e.Chain}
	if n := len(f.window); e.Seq == f.meta.base+1 {
		p.before, p.known = f.meta.chain, true
		if n > 0 {
			p.before = f.window[n-1].chain
		}
	} else {
		p.before, p.known, _ = f.bridges.before(e.Seq)
	}
	inStory := e.Key != 0 && (e.Mark == MarkOpen || e.Prev != 0)
	if inStory && e.Mark != MarkClose {
		p.stays = true
	} else {
		whole := f.forgetStory(log, e)
		f.forget(e)
		if !whole {
			delete(f.gone, e.Seq)
			return false
		}
	}
	f.window = append(f.window, p)
	f.meta.base, f.meta.chain = e.Seq, e.Chain
	return true
}

func (f *forgetting) forget(e *Entry) {
	f.gone[e.Seq] = true
	f.used -= int64(entryBytesMin+len(e.Payload)+len(e.Sealed)) + 2*pageElementBytes
	if begins(e) {
		f.payments++
	}
}

// forgetStory takes away what came before the entry that closed a key. When that is more than one
// batch can take, the oldest go first.
func (f *forgetting) forgetStory(log entryLog, last *Entry) (whole bool) {
	var story []Entry
	for seq := last.Prev; seq != 0; {
		e, err := decodeAt(seq, log.get(seq))
		if err != nil || e.Key != last.Key {
			break // forgotten or lost
		}
		story = append(story, e)
		seq = e.Prev
	}
	for i := len(story) - 1; i >= 0; i-- {
		if len(f.gone) >= forgetMax-1 {
			return false
		}
		f.forget(&story[i])
	}
	return true
}

// commit takes the entries out of the log, and leaves bridges to those that stay.
func (f *forgetting) commit(tx *bolt.Tx) error {
	log := logOf(tx, f.j.ledger.file)
	after := maps.Clone(f.bridges)
	for _, p := range f.window {
		if f.gone[p.seq] {
			delete(after, p.seq)
			continue
		}
		f.meta.kept++
		if f.gone[p.seq-1] || log.get(p.seq-1) == nil {
			after[p.seq] = bridgeLost
			if p.known {
				after[p.seq] = append([]byte{}, p.before[:]...)
			}
		}
	}
	for seq := range f.gone {
		if seq <= f.was.base {
			f.meta.kept--
			f.bridgeOver(log, after, seq)
		}
	}
	err := log.delete(f.seqs())
	f.meta.payments = f.j.shownPayments - f.payments
	f.meta.proof = after.prove(f.j.chainer, &f.meta)
	return errors.Join(err, after.replace(tx, f.bridges), putPayments(tx, f.meta.payments),
		f.meta.writeBase(tx))
}

// bridgeOver is for an entry that was kept until now: the one right behind it may stay.
func (f *forgetting) bridgeOver(log entryLog, after bridges, seq uint64) {
	delete(after, seq)
	if f.gone[seq+1] || seq+1 > f.was.base {
		return
	}
	if _, bridged := after[seq+1]; bridged || log.get(seq+1) == nil {
		return
	}
	after[seq+1] = bridgeLost
	if e, err := decodeAt(seq, log.get(seq)); err == nil {
		after[seq+1] = append([]byte{}, e.Chain[:]...)
	}
}
