package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// newSuffix is what a file is called until all of it is on the medium.
const newSuffix = ".new"

// ensure finds the three files of a journal, or makes them when none was ever there.
//
// The key file is the marker that there was a journal: it is the last of the three to get its
// name. So without a key nothing was ever acknowledged, and with one a missing journal is a loss.
// A power cut anywhere in create leaves the key under its temporary name; the next ensure either
// finishes that, or starts over.
//
// gone says that the journal is missing, and that the ring may still have what was open.
func ensure(o *Options) (created, gone bool, err error) {
	var journal, ring, key, newKey bool
	for path, found := range map[string]*bool{
		o.Path: &journal, o.RingPath: &ring, o.KeyPath: &key, o.KeyPath + newSuffix: &newKey,
	} {
		if *found, err = exists(path); err != nil {
			return false, false, err
		}
	}
	switch {
	case journal && key:
		return false, false, nil
	case journal && newKey:
		return false, false, moveInto(o.KeyPath)
	case journal:
		return false, false, fmt.Errorf("%w: %s", ErrKeyLost, o.KeyPath)
	case key && ring:
		return false, true, nil
	case key:
		return false, false, fmt.Errorf("%w: %s, though its key %s is there", ErrLost,
			o.Path, o.KeyPath)
	case ring:
		old, err := ReadRing(o.RingPath)
		if err != nil {
			return false, false, err
		}
		if !newKey || len(old.Entries) > 0 {
			return false, false, fmt.Errorf("%w: %s, though its ring %s is there, up to entry %d",
				ErrLost, o.Path, o.RingPath, old.Acked)
		}
	}
	return true, false, create(o)
}

// create makes key, ring and journal under temporary names, syncs them, and renames them in the
// order that ensure can read.
func create(o *Options) error {
	master, err := newMaster(o)
	if err != nil {
		return err
	}
	keyFile, err := os.OpenFile(o.KeyPath+newSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create key: %w", permission(err))
	}
	defer keyFile.Close() // synced below
	if err := tryLock(keyFile); err != nil {
		return fmt.Errorf("create %s: %w", o.Path, err) // another process is creating it
	}
	var meta journalMeta
	if _, err := io.ReadFull(rand.Reader, meta.id[:]); err != nil {
		return fmt.Errorf("create journal id: %w", err)
	}
	keys := newKeyring(master, meta.id)
	meta.check, meta.terminal = keys.check, o.Terminal
	c := keys.newChainer()
	meta.chain = c.genesis(meta.id)
	meta.proof = bridges{}.prove(c, &meta)
	if err := writeWhole(keyFile, encodeKeys(master)); err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	if err := syncDir(filepath.Dir(o.KeyPath)); err != nil {
		return err
	}
	if err := createRing(o.RingPath, ringSlots); err != nil {
		return err
	}
	fill := func(db *bolt.DB) error { return db.Update(meta.write) }
	if err := createBolt(o.Path+newSuffix, o.SizeMax, fill); err != nil {
		return err
	}
	if err := moveInto(o.Path); err != nil {
		return err
	}
	return moveInto(o.KeyPath)
}

func writeWhole(f *os.File, content []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	for at := 0; at < len(content); at += slotBytes { // in pieces: see extend
		if _, err := f.WriteAt(content[at:min(at+slotBytes, len(content))], int64(at)); err != nil {
			return err
		}
	}
	return f.Sync()
}

// moveInto gives a finished file its name and makes the name durable.
func moveInto(path string) error {
	if err := os.Rename(path+newSuffix, path); err != nil {
		return fmt.Errorf("rename into place: %w", permission(err))
	}
	return syncDir(filepath.Dir(path))
}

// createRing makes a ring of zeros in place of whatever has its name. They are written, not only
// reserved: a block that was never written costs the file system a journal commit at its first
// sync, half as much again.
func createRing(path string, slots int) error {
	f, err := os.OpenFile(path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create ring: %w", permission(err))
	}
	err = writeWhole(f, make([]byte, slots*slotBytes))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("create ring: %w", err)
	}
	return moveInto(path)
}

// createBolt makes a bbolt file, fills it, and returns when all of it is on the medium, with room
// to go on in as far as the disk and sizeMax allow. A power cut inside bbolt's own creation leaves
// a file that cannot be opened or that ends the process; under this name nobody opens it.
func createBolt(path string, sizeMax int64, fill func(*bolt.DB) error) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create journal: %w", permission(err))
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrUnreadable, p)
		}
		if err != nil {
			err = fmt.Errorf("create journal: %w", permission(err))
		}
	}()
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		PageSize: pageBytes, FreelistType: bolt.FreelistArrayType, NoSync: true,
	})
	if err != nil {
		return err
	}
	err = fill(db)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err = furnish(f, sizeMax); err == nil {
		err = f.Sync()
	}
	forgetCached(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// furnish cuts off what bbolt has added to the end of a file that nobody has open, and puts zeros
// there. bbolt grows a file without writing to it: a hole counts as room, and on a disk that is
// full by then there is none in it.
func furnish(f *os.File, sizeMax int64) error {
	m, err := newestMeta(f, 1<<62)
	if err != nil {
		return err
	}
	used := int64(m.end) * pageBytes
	if err := f.Truncate(used); err != nil {
		return err
	}
	if _, err := extend(f, reserveBytes+growBytes); err != nil {
		return err
	}
	size, err := extend(f, min(used+commitBytesMax+reserveBytes, sizeMax))
	if noSpace(err) {
		return f.Truncate(size - size%pageBytes) // the journal refuses new payments until there is
	}
	return err
}
