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

const (
	// rebuildBatch is how many entries go into one transaction of a copy.
	rebuildBatch = 500
	// quarantinesMax is how many old journals are kept of which the new one has every entry: a
	// disk that fails again and again must not be filled with copies. One that lost something on
	// the way is always kept.
	quarantinesMax = 4
)

// rebuild copies everything good into a new bbolt file and a new ring, and puts the old bbolt
// file aside. An entry that bbolt has not whole is taken from the ring; one that neither has
// leaves a hole, which Check reports. Without space for a copy it does what can be done in place.
func (p *opening) rebuild(reason string) error {
	p.f.Rebuilt = reason
	lost := 0
	fill := func(db *bolt.DB) error {
		err := db.Update(p.meta.write)
		if err == nil {
			lost, err = p.copyEntries(db)
		}
		return err
	}
	err := createBolt(p.o.Path+newSuffix, fill)
	if noSpace(err) {
		return errors.Join(os.Remove(p.o.Path+newSuffix), p.rewrite())
	}
	if err != nil {
		return err
	}
	if p.f.Quarantine, err = putAside(p.o.Path, lost > 0); err != nil {
		return err
	}
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
func (p *opening) copyEntries(db *bolt.DB) (lost int, err error) {
	var batch []record
	open := make(pending)
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
	err = p.ledger.view(func(tx *bolt.Tx) error {
		next := p.meta.base + 1
		c := tx.Bucket(bucketLog).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				continue
			}
			seq := binary.BigEndian.Uint64(k)
			e, raw, err := p.best(seq, v)
			if err != nil || seq < next {
				lost++
				continue // a damaged key sorts anywhere; what it stood for is a hole
			}
			for ; next < seq; next++ {
				gone, raw, err := p.best(next, nil)
				if err != nil {
					lost++
					continue
				}
				if err := take(&gone, raw); err != nil {
					return err
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
		return lost, fmt.Errorf("copy entries: %w", err)
	}
	return lost, nil
}

// rewrite makes what the page cache shows of both files what the medium has: bbolt syncs its
// pages before the meta page that refers to them, so after a failed sync only the meta pages can
// differ, and the entries that were acknowledged are on the medium either way.
func (p *opening) rewrite() error {
	metas := make([]byte, 2*pageBytes)
	if _, err := p.ledger.file.ReadAt(metas, 0); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	if _, err := p.ledger.file.WriteAt(metas, 0); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	if err := p.ledger.file.Sync(); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	if _, err := p.ring.WriteAt(p.image.encode(), 0); err != nil {
		return fmt.Errorf("rewrite ring: %w", err)
	}
	if err := p.ring.Sync(); err != nil {
		return fmt.Errorf("rewrite ring: %w", err)
	}
	return nil
}

// putAside gives the old journal a second name, so that the new one can take over the first
// without a moment in which there is none. With enough of them there, it need not be kept.
func putAside(path string, must bool) (string, error) {
	for n := 1; ; n++ {
		if n > quarantinesMax && !must {
			return "", nil
		}
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
	if err := writeWhole(f, p.image.encode()); err != nil {
		f.Close() //nolint:errcheck,gosec // already failing
		return fmt.Errorf("renew ring: %w", err)
	}
	old := p.ring
	p.ring = f
	old.Close() //nolint:errcheck,gosec // only read from
	return moveInto(p.o.RingPath)
}
