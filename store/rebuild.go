package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

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

// rebuild copies everything good, from the log, the ring and pages that nothing leads to any more,
// into a new bbolt file and a new ring. The old file is read page by page, without bbolt; it gets
// a second name before the new one takes over the first. A gap that stays is marked, so that it
// is told from damage that comes later. Without space for a copy it does what can be done in
// place.
func (p *opening) rebuild(why cause) error {
	p.f.Rebuilt = why.text
	src, size, err := p.source()
	if err != nil {
		return err
	}
	defer src.Close()
	if size < 0 {
		src = nil
	}
	h, err := p.harvest(src, size)
	if err != nil {
		return err
	}
	if err := p.copyOut(h); err != nil {
		os.Remove(p.o.Path + newSuffix) //nolint:errcheck // nobody opens it under that name
		if noSpace(err) {
			return p.withoutCopy(why, src, h, err)
		}
		return err
	}
	p.f.LostEntries = h.lost
	if src != nil && why.keep != "" {
		if p.f.Quarantine, err = putAside(p.o.Path, why.keep, h.lost > 0); err != nil {
			return err
		}
	}
	if err := moveInto(p.o.Path); err != nil {
		return err
	}
	if err := p.renewRing(); err != nil {
		return err
	}
	p.ringLost = false
	if p.ledger != nil {
		old := p.ledger
		p.ledger = nil
		if err := old.close(); err != nil {
			return fmt.Errorf("close old journal: %w", err)
		}
	}
	return clearSuspicion(p.o.Path)
}

// source is the old file, locked. When there is none, its size is -1, and the key file is locked
// in its place.
func (p *opening) source() (*os.File, int64, error) {
	size := int64(0)
	f, err := os.OpenFile(p.o.Path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		size = -1
		f, err = os.Open(p.o.KeyPath)
	}
	if errors.Is(err, syscall.EISDIR) {
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", p.o.Path, permission(err))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a regular file", ErrUnreadable)
	}
	if err == nil && p.ledger == nil {
		err = waitLock(f, p.o.LockTimeout)
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open %s: %w", p.o.Path, err)
	}
	if size == 0 {
		size = info.Size()
	}
	return f, size, nil
}

// waitLock takes the lock, and waits for it as bbolt does.
func waitLock(f *os.File, patience time.Duration) error {
	const step = 50 * time.Millisecond
	tick := time.NewTicker(step) //nolint:forbidigo // waits, and puts no time into anything
	defer tick.Stop()
	for ; ; patience -= step {
		err := tryLock(f)
		if !errors.Is(err, ErrLocked) || patience <= 0 {
			return err
		}
		<-tick.C
	}
}

// harvest surveys what is there, and makes sure that it is ours.
func (p *opening) harvest(src *os.File, size int64) (*harvest, error) {
	h := &harvest{s: &survey{file: &pageFile{}, index: map[uint64]openRef{}}, img: p.image}
	if src != nil {
		h.s, h.file = surveyFile(src, size), src
	}
	if h.s.newer != nil {
		return nil, fmt.Errorf("open %s: %w", p.o.Path, h.s.newer)
	}
	h.ringWhole = p.image.damaged == 0 && !p.ringLost
	h.acceptLoss = p.s.acceptLoss
	h.gather()
	if err := p.identify(h); err != nil {
		return nil, err
	}
	h.closedUpTo, _ = markedLast(p.o.Path, h.meta.id)
	h.c = p.chainer
	h.meta.kept, h.meta.payments = 0, 0
	return h, nil
}

// identify finds whose journal this is, from the file or else from its ring, and proves the key.
func (p *opening) identify(h *harvest) error {
	h.meta = h.s.meta
	ringID, ring := p.image.id()
	if h.meta.format == 0 {
		if !ring {
			return p.hopeless(h)
		}
		h.meta = journalMeta{id: ringID, terminal: p.o.Terminal}
		return p.identifyByRing(h)
	}
	p.dropPriorRing(&h.meta)
	if h.img != p.image { // it was that of the journal before a change of the key
		h.img, h.ringWhole = p.image, false
	}
	if n := p.image.foreign(h.meta.id); n > 0 {
		return fmt.Errorf("%w: %d slots of %s are of another journal", ErrLost, n, p.o.RingPath)
	}
	return p.belongs(&h.meta)
}

// identifyByRing finds the key that the entries of the ring were written with.
func (p *opening) identifyByRing(h *harvest) error {
	masters, err := readKeys(&p.o)
	if err != nil {
		return err
	}
	for _, master := range masters {
		p.keys = newKeyring(master, h.meta.id)
		p.chainer = p.keys.newChainer()
		if err = p.image.proveKey(p.chainer, p.o.KeyPath); err == nil {
			break
		}
	}
	h.meta.check, h.meta.chain = p.keys.check, p.chainer.genesis(h.meta.id)
	return err
}

// hopeless is what is wrong with a journal that cannot even be told from another.
func (p *opening) hopeless(h *harvest) error {
	switch {
	case h.file == nil:
		return fmt.Errorf("%w: %s, though its key %s is there", ErrLost, p.o.Path, p.o.KeyPath)
	case h.s.file.size == 0:
		return fmt.Errorf("%w: %s, and its ring", ErrEmpty, p.o.Path)
	}
	return fmt.Errorf("%w, and its ring is empty: %s", ErrUnreadable, p.f.Rebuilt)
}

// belongs makes sure that a journal is of this terminal and that the key is its own.
func (p *opening) belongs(m *journalMeta) (err error) {
	if p.o.Terminal != "" && m.terminal != "" && p.o.Terminal != m.terminal {
		return fmt.Errorf("%w: %s, not %s", ErrOtherTerminal, m.terminal, p.o.Terminal)
	}
	if p.keys, err = unlock(&p.o, m); err != nil {
		return err
	}
	p.chainer = p.keys.newChainer()
	return nil
}

// copyOut makes the new file under its temporary name, and reads it back.
func (p *opening) copyOut(h *harvest) error {
	entries := 0
	fill := func(db *bolt.DB) error {
		if err := db.Update(h.meta.write); err != nil {
			return err
		}
		var batch []record
		flush := func() error {
			err := db.Update(func(tx *bolt.Tx) error {
				return putTree(tx.Bucket(bucketLog), batch)
			})
			batch = batch[:0]
			return err
		}
		err := h.run(func(e *Entry, raw []byte) (err error) {
			if h.reseal != nil {
				if raw, err = h.reseal.entry(h, e); err != nil {
					return err
				}
			}
			entries++
			batch = append(batch, record{seq: e.Seq, raw: raw})
			if len(batch) == rebuildBatch {
				return flush()
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		return db.Update(h.finish)
	}
	path := p.o.Path + newSuffix
	if err := createBolt(path, p.o.SizeMax, fill); err != nil {
		return err
	}
	return proveCopy(path, entries)
}

// finish writes what the entries have added up to.
func (h *harvest) finish(tx *bolt.Tx) error {
	if h.reseal != nil {
		h.reseal.finish(h)
	}
	h.meta.proof = h.bridges.prove(h.c, &h.meta)
	err := errors.Join(h.meta.write(tx), h.bridges.replace(tx, nil))
	index := tx.Bucket(bucketOpen)
	for key, ref := range h.index {
		err = errors.Join(err, index.Put(logKey(key), ref.value()))
	}
	return err
}

// proveCopy reads a new file page by page, before it takes the place of the old one.
func proveCopy(path string, entries int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s := surveyFile(f, info.Size())
	good := 0
	s.readLog(func(seq uint64, raw []byte) {
		if _, err := decodeAt(seq, raw); err == nil {
			good++
		}
	})
	if len(s.faults) > 0 {
		return fmt.Errorf("%w: the copy: %s", ErrUnreadable, s.faults[0])
	}
	if good != entries {
		return fmt.Errorf("%w: the copy has %d entries of %d", ErrUnreadable, good, entries)
	}
	return nil
}

// withoutCopy is for a disk that has no room for one.
func (p *opening) withoutCopy(why cause, src *os.File, h *harvest, full error) error {
	whole := len(h.s.faults) == 0 && h.lost == 0 && h.meta.format == formatVersion
	if src == nil || !whole || !why.inPlace {
		return fmt.Errorf("%w: no room for a copy: %w", ErrFull, full)
	}
	p.stays = true
	p.abandon() // it is opened again
	if why.keep == "" {
		p.f.Rebuilt = ""
		return nil
	}
	if err := p.rewrite(src); err != nil {
		return err
	}
	return clearSuspicion(p.o.Path)
}

// rewrite makes what the page cache shows of both files what the medium has: bbolt syncs its
// pages before the meta page that refers to them, so after a failed sync only the meta pages can
// differ, and the entries that were acknowledged are on the medium either way.
func (p *opening) rewrite(src *os.File) error {
	metas := make([]byte, 2*pageBytes)
	if _, err := src.ReadAt(metas, 0); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	if _, err := src.WriteAt(metas, 0); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	if err := src.Sync(); err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	ring, err := os.OpenFile(p.o.RingPath, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("rewrite ring: %w", err)
	}
	defer ring.Close()
	if _, err := ring.WriteAt(p.image.encode(), 0); err != nil {
		return fmt.Errorf("rewrite ring: %w", err)
	}
	if err := ring.Sync(); err != nil {
		return fmt.Errorf("rewrite ring: %w", err)
	}
	return nil
}

// putAside gives the old journal a second name, so that the new one can take over the first
// without a moment in which there is none. With enough of them there, it need not be kept.
func putAside(path, as string, must bool) (string, error) {
	for n := 1; ; n++ {
		if n > quarantinesMax && !must {
			return "", nil
		}
		aside := path + as
		if as == quarantine {
			aside = fmt.Sprintf("%s%s-%d", path, as, n)
		}
		err := os.Link(path, aside)
		if err == nil {
			return aside, syncDir(filepath.Dir(path))
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("put journal aside: %w", permission(err))
		}
		if as != quarantine {
			as, n = quarantine, 0
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
	err = writeWhole(f, p.image.encode())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("renew ring: %w", err)
	}
	if p.ring != nil {
		p.ring.Close() // only read from
		p.ring = nil
	}
	return moveInto(p.o.RingPath)
}
