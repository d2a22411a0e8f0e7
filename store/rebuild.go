package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// rebuildBatch is how many entries go into one transaction of a copy.
const rebuildBatch = 500

// rebuild copies everything good into a new bbolt file and a new ring, and puts the old bbolt
// file aside. An entry that bbolt has not whole is taken from the ring; one that neither has
// leaves a hole, which Check reports.
func (p *opening) rebuild(reason string) error {
	p.f.Rebuilt = reason
	open := make(pending)
	fill := func(db *bolt.DB) error {
		if err := db.Update(p.meta.write); err != nil {
			return err
		}
		return p.copyEntries(db, open)
	}
	if err := createBolt(p.o.Path+newSuffix, fill); err != nil {
		return err
	}
	aside, err := putAside(p.o.Path)
	if err != nil {
		return err
	}
	p.f.Quarantine = aside
	if err := moveInto(p.o.Path); err != nil {
		return err
	}
	fresh, err := openLedger(p.o.Path, p.o.LockTimeout, p.o.SizeMax)
	if err != nil {
		return err
	}
	old := p.ledger
	p.ledger = fresh
	if err := old.close(); err != nil {
		return fmt.Errorf("close old journal: %w", err)
	}
	return p.renewRing()
}

// copyEntries moves the log over, a batch at a time, and rebuilds the open index from it. An
// entry with a predecessor belongs to a key that was open, even if the entry that opened it is
// lost: better a key too many than one too few.
func (p *opening) copyEntries(db *bolt.DB, open pending) error {
	var batch []record
	flush := func() error {
		err := db.Update(func(tx *bolt.Tx) error { return putRecords(tx, batch, open) })
		batch = batch[:0]
		return err
	}
	take := func(e *Entry, raw []byte) error {
		mark := e.Mark
		if mark == MarkKeep && e.Prev != 0 {
			mark = MarkOpen
		}
		open.apply(e.Seq, e.Key, mark)
		batch = append(batch, record{seq: e.Seq, key: e.Key, raw: raw})
		if len(batch) == rebuildBatch {
			return flush()
		}
		return nil
	}
	err := p.ledger.view(func(tx *bolt.Tx) error {
		next := p.meta.base + 1
		c := tx.Bucket(bucketLog).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				continue
			}
			seq := binary.BigEndian.Uint64(k)
			e, raw, err := p.best(seq, v)
			if err != nil || seq < next {
				continue // a damaged key sorts anywhere; what it stood for is a hole
			}
			for ; next < seq; next++ {
				if lost, raw, err := p.best(next, nil); err == nil {
					if err := take(&lost, raw); err != nil {
						return err
					}
				}
			}
			if err := take(&e, raw); err != nil {
				return err
			}
			next = seq + 1
		}
		return flush()
	})
	if err != nil {
		return fmt.Errorf("copy entries: %w", err)
	}
	return nil
}

// putAside gives the old journal a second name, so that the new one can take over the first
// without a moment in which there is none.
func putAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.quarantine-%d", path, n)
		err := os.Link(path, aside)
		if err == nil {
			return aside, syncDir(filepath.Dir(path))
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("put journal aside: %w", permission(err))
		}
	}
}

// renewRing replaces the ring file by a new one with the same slots in it: its pages too may
// show what the medium does not have.
func (p *opening) renewRing() error {
	path := p.o.RingPath + newSuffix
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("renew ring: %w", permission(err))
	}
	all := make([]byte, p.image.size*slotBytes)
	for i := range p.image.slots {
		s := &p.image.slots[i]
		pos := int(s.counter % uint64(p.image.size))
		s.encode(all[pos*slotBytes : (pos+1)*slotBytes])
	}
	if err := writeWhole(f, all); err != nil {
		f.Close() //nolint:errcheck,gosec // already failing
		return fmt.Errorf("renew ring: %w", err)
	}
	old := p.ring
	p.ring = f
	old.Close() //nolint:errcheck,gosec // only read from
	return moveInto(p.o.RingPath)
}
