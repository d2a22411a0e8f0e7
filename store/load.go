package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// load reads the newest entry, and the stories of open keys.
func (p *opening) load() error {
	p.last, p.chain, p.lastRaw = p.meta.base, p.meta.chain, record{}
	p.open, p.stories, p.newDamage, p.mends = make(pending), nil, false, nil
	return p.ledger.viewLog(func(tx *bolt.Tx, log entryLog) error {
		if k, v := log.last(); k != nil {
			if len(k) != 8 {
				return fmt.Errorf("%w: log key of %d bytes", ErrUnreadable, len(k))
			}
			seq := binary.BigEndian.Uint64(k)
			e, raw, err := p.best(seq, v)
			if err != nil {
				return err
			}
			p.last, p.chain = seq, e.Chain
			p.lastRaw = record{seq: seq, key: e.Key, raw: bytes.Clone(raw)}
		}
		if err := p.skipLost(tx); err != nil {
			return err
		}
		p.loadAcked(log)
		return tx.Bucket(bucketOpen).ForEach(func(k, v []byte) error {
			ref, ok := parseOpenRef(v)
			if len(k) != 8 || !ok {
				return fmt.Errorf("%w: open index", ErrUnreadable)
			}
			p.loadStory(log, binary.BigEndian.Uint64(k), ref)
			return nil
		})
	})
}

// loadAcked looks at the entry by which journal and ring are compared: one that is damaged is no
// other history, and the ring has it.
func (p *opening) loadAcked(log entryLog) {
	acked := p.image.acked
	if v := log.get(acked); v != nil && acked != p.last {
		_, _, _ = p.best(acked, v) // takes note of what must be mended
	}
}

// skipLost goes on behind numbers at the end that were given out, and whose entries are gone.
func (p *opening) skipLost(tx *bolt.Tx) error {
	b, err := readBridges(tx)
	if err != nil {
		return fmt.Errorf("bridges: %w", err)
	}
	for seq := range b {
		if seq > p.last+1 {
			p.last = seq - 1
			p.chain, _, _ = b.before(seq)
		}
	}
	return nil
}

// loadStory walks an open key back from its newest entry.
func (p *opening) loadStory(log entryLog, key uint64, ref openRef) {
	s := story{since: ref.last, last: ref.last, damage: ref.damage}
	var chapters []record
	for seq := ref.last; seq != 0; s.count++ {
		e, raw, err := p.best(seq, log.get(seq))
		if err != nil || e.Key != key {
			p.newDamage = p.newDamage || s.damage == 0
			s.damage = max(s.damage, DamagePart)
			break
		}
		chapters = append(chapters, record{seq: seq, key: key, raw: bytes.Clone(raw)})
		s.since, seq = seq, e.Prev
	}
	for _, chapter := range slices.Backward(chapters) {
		p.stories = append(p.stories, chapter)
	}
	p.open[key] = s
}

// searchLastCommit is for a journal that may have lost its last commit without a sign of it: one of
// the two meta pages is damaged, which may have been the newer one, and the ring cannot tell.
// Entries that stand in pages nothing leads to are taken for copies in the ring.
func (p *opening) searchLastCommit() error {
	info, err := p.ledger.file.Stat()
	if err != nil {
		return err
	}
	s := surveyFile(p.ledger.file, info.Size())
	for _, place := range s.scanEntries(func(seq uint64) bool { return seq > p.last }) {
		raw, err := place.read(p.ledger.file)
		if err != nil {
			return err
		}
		if e, err := decodeAt(place.seq, raw); err == nil {
			p.image.entries[e.Seq] = append(p.image.entries[e.Seq], ringCopy{raw: raw, entry: e})
		}
	}
	return nil
}

// best decodes what bbolt has of an entry or, when that is damaged or gone, what the ring has.
func (p *opening) best(seq uint64, v []byte) (Entry, []byte, error) {
	e, err := decodeAt(seq, v)
	if err == nil {
		return e, v, nil
	}
	if copies := p.image.entries[seq]; len(copies) > 0 {
		p.mends = append(p.mends, record{seq: seq, raw: copies[0].raw})
		return copies[0].entry, copies[0].raw, nil
	}
	return e, nil, err
}

// mend puts the ring's copies of damaged entries into the log, where there is no room for a copy of
// all of it: their places are there, and bbolt writes a page to another one.
func (p *opening) mend() error {
	err := p.ledger.update(func(tx *bolt.Tx) error {
		log := logOf(tx, p.ledger.file)
		for _, r := range p.mends {
			if err := log.replace(r.seq, r.raw); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: a damaged entry could not be written again: %w", ErrFull, err)
	}
	return nil
}

// decodeAt decodes the value of the log at seq; v is nil when there is none.
func decodeAt(seq uint64, v []byte) (Entry, error) {
	if v == nil {
		return Entry{}, fmt.Errorf("entry %d: %w: missing", seq, ErrCorrupt)
	}
	e, err := decodeEntry(v)
	switch {
	case err != nil:
		return e, fmt.Errorf("entry %d: %w: %w", seq, ErrCorrupt, err)
	case e.Seq != seq:
		return e, fmt.Errorf("entry %d: %w: holds entry %d", seq, ErrCorrupt, e.Seq)
	}
	return e, nil
}
