package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// join brings ring and bbolt to the same state and makes the journal of them.
func (p *opening) join() (*Journal, error) {
	added, err := p.takeFromRing()
	if err != nil {
		return nil, err
	}
	if err := p.compareHistories(); err != nil {
		return nil, err
	}
	p.f.Recovered = len(added)
	info, err := p.ledger.file.Stat()
	if err != nil {
		return nil, err
	}
	j := p.journal(info.Size())
	if err := p.refill(j, added); err != nil {
		return nil, err
	}
	j.mark = openMark(p.o.Path, p.meta.id)
	if p.s.commit != nil {
		p.ledger.commitFn = p.s.commit
	}
	return j, nil
}

// takeFromRing adds what was noted, or was on its way, when the last run ended: entries beyond
// the newest in bbolt that continue its chain.
func (p *opening) takeFromRing() ([]record, error) {
	var added []record
	for {
		rc, ok := p.image.following(p.chainer, p.last+1, p.chain)
		if !ok {
			break
		}
		p.last, p.chain = p.last+1, rc.entry.Chain
		if begins(&rc.entry) {
			p.meta.payments++
		}
		p.open.apply(p.last, rc.entry.Key, rc.entry.Mark)
		added = append(added, record{seq: p.last, key: rc.entry.Key, raw: rc.raw})
	}
	if len(added) == 0 {
		return nil, nil
	}
	p.lastRaw = added[len(added)-1]
	err := p.ledger.update(func(tx *bolt.Tx) error {
		return errors.Join(putRecords(tx, added, p.open), putPayments(tx, p.meta.payments))
	})
	if err != nil {
		leaveSuspicion(p.o.Path, err)
		return nil, fmt.Errorf("%w: add entries from the ring: %w", ErrUnknown, err)
	}
	return added, nil
}

// compareHistories refuses a journal that is not the one the ring went along with: an older copy
// put back, or one that has gone another way since.
func (p *opening) compareHistories() error {
	if last, sure := markedLast(p.o.Path, p.meta.id); sure && last > p.last {
		return fmt.Errorf("%w: it and its ring end at entry %d, it was once at %d", ErrLost,
			p.last, last)
	}
	if p.image.acked > p.last {
		return fmt.Errorf("%w: it ends at entry %d, the ring has seen %d", ErrLost,
			p.last, p.image.acked)
	}
	copies := p.image.entries[p.image.acked]
	if len(copies) == 0 {
		return nil
	}
	return p.ledger.viewLog(func(_ *bolt.Tx, log entryLog) error {
		v := log.get(p.image.acked)
		for _, rc := range copies {
			if v == nil || bytes.Equal(v, rc.raw) {
				return nil
			}
		}
		return fmt.Errorf("%w: it and the ring differ in entry %d", ErrLost, p.image.acked)
	})
}

func (p *opening) journal(size int64) *Journal {
	j := &Journal{
		opt: p.o, ledger: p.ledger, meta: p.meta, keys: p.keys, chainer: p.chainer,
		size: size, facts: p.f, seq: p.last, chain: p.chain,
		tip: p.open, shown: maps.Clone(p.open),
		changed: make(chan struct{}),
	}
	j.last.Store(p.last)
	j.facts.Size, j.payments = size, p.meta.payments
	j.shownPayments = j.payments
	var file ringFile = dataFile{p.ring}
	if p.s.ring != nil {
		file = p.s.ring(file)
	}
	j.ring = newRing(file, p.meta.id, p.image.size, j.tip.live)
	return j
}

// refill makes the ring hold what it must: the newest entry, and every entry of an open key; and,
// after damage to it, the newest entries of all. It also blanks slots with entries that did not
// make it into the journal, so that their numbers, which will be given out again, mean one thing
// only, and slots that cannot be read.
func (p *opening) refill(j *Journal, added []record) error {
	r := j.ring
	stale := append(r.adopt(p.image, p.last), p.image.wrecks...)
	for _, pos := range stale {
		r.writes = append(r.writes, image{
			offset: int64(pos) * slotBytes, block: make([]byte, slotBytes),
		})
	}
	for _, rec := range p.newest(r) {
		r.put(rec.seq, rec.key, rec.raw, p.last)
		j.facts.Refilled++
	}
	want := append(p.stories, added...)
	if p.lastRaw.seq != 0 {
		want = append(want, p.lastRaw)
	}
	for _, rec := range want {
		needed := rec.seq == p.last || r.live(rec.seq, rec.key)
		if !needed || p.holds(r, rec) {
			continue
		}
		if r.crowded() && rec.seq != p.last {
			continue
		}
		r.put(rec.seq, rec.key, rec.raw, p.last)
		j.facts.Refilled++
	}
	for i := range uint64(ringLead) {
		r.sweep(r.position(r.next + i))
	}
	r.finish(p.last)
	if len(r.writes) == 0 {
		return nil
	}
	if err := r.commit(); err != nil {
		leaveSuspicion(p.o.Path, err)
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return nil
}

// newest is what the ring held before it was damaged or made anew, as far as a third of it goes,
// with what is open: the newest entries of the log that it has no copy of. Damage to the log that
// comes next then finds them twice again. What cannot be read of the log is left to the check of
// it.
func (p *opening) newest(r *ring) []record {
	if p.f.RingDamaged == 0 && !p.f.RingRecreated {
		return nil
	}
	var recs []record
	rest := (p.image.size - ringLead) * slotDataBytes / 3
	for _, rec := range p.stories {
		rest -= len(rec.raw) + slotLengthBytes
	}
	err := p.ledger.viewLog(func(_ *bolt.Tx, log entryLog) error {
		for seq := p.last; seq > 0 && rest > 0; seq-- {
			raw := log.get(seq)
			rest -= max(len(raw), entryBytesMin) + slotLengthBytes
			if _, held := r.at[seq]; held || rest < 0 {
				continue
			}
			if e, err := decodeAt(seq, raw); err == nil {
				recs = append(recs, record{seq: seq, key: e.Key, raw: bytes.Clone(raw)})
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	slices.Reverse(recs)
	return recs
}

// holds says whether the ring's newest copy of an entry is the entry.
func (p *opening) holds(r *ring, rec record) bool {
	counter, ok := r.at[rec.seq]
	if !ok {
		return false
	}
	for _, rc := range p.image.entries[rec.seq] {
		if rc.counter == counter {
			return bytes.Equal(rc.raw, rec.raw)
		}
	}
	return true // put by this refill
}

// adopt takes over what is in the file and returns the positions of slots that hold an entry
// beyond last: of a commit that was cut off, and never acknowledged.
func (r *ring) adopt(img *ringImage, last uint64) (stale []int) {
	for i := range img.slots {
		s := &img.slots[i]
		pos := r.position(s.counter)
		r.next = max(r.next, s.counter+1)
		r.counters[pos] = s.counter
		var hs []held
		beyond := false
		s.each(func(raw []byte) {
			if e, err := decodeEntry(raw); err == nil {
				hs = append(hs, held{seq: e.Seq, key: e.Key, bytes: len(raw)})
				beyond = beyond || e.Seq > last
			}
		})
		if beyond {
			stale = append(stale, pos)
			r.counters[pos] = 0
			continue
		}
		r.held[pos] = hs
		for _, h := range hs {
			r.at[h.seq] = s.counter
		}
	}
	return stale
}

// The suspicion: a file left behind by a run that ended with a failed write. It need not reach
// the medium. What makes the old files suspect is a page cache that shows what the medium may
// not have, and a power cut clears both.
func suspicionPath(path string) string { return path + ".suspect" }

func leaveSuspicion(path string, cause error) {
	//nolint:errcheck // if not even this can be written, the next Open cannot write either
	os.WriteFile(suspicionPath(path), []byte(cause.Error()+"\n"), 0o600)
}

func readSuspicion(path string) (string, error) {
	there, err := exists(suspicionPath(path))
	if err != nil || !there {
		return "", err
	}
	text, err := os.ReadFile(suspicionPath(path))
	if err != nil {
		return "", permission(err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "a write failed", nil
	}
	return string(text), nil
}

func clearSuspicion(path string) error {
	there, err := exists(suspicionPath(path))
	if err != nil || !there {
		return err
	}
	if err := os.Remove(suspicionPath(path)); err != nil {
		return permission(err)
	}
	return syncDir(filepath.Dir(path))
}
