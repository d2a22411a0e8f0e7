package faultsim

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"reversald/store"
)

// errCut is what a store hears from a disk on which its life has ended.
var errCut = errors.New("the power is gone, or the disk has failed")

// sector is what a disk writes whole.
const sector = 512

// medium lies between the store and its files: it knows what of the ring is not synced, and what a
// commit of bbolt changed, so that it can say what a power cut leaves of them.
//
// The legal states are those of a disk that keeps what it has acknowledged and nothing else: of the
// sectors that were written since the last sync any may have landed, in any order. bbolt syncs its
// pages before it writes a meta page, so a meta page lands only after all of them.
type medium struct {
	w   *world
	dir string

	mu       sync.Mutex // the ring's half of a commit runs beside bbolt's
	unsynced []ringWrite
	cutting  bool // a power cut is under way: a sync does not settle anything any more
	opening  bool

	before, after []byte // of bbolt's file, around the commit that is cut
	died          *death // how this life ended inside the store
}

// ringWrite is one slot as it was and as it is.
type ringWrite struct {
	at            int64
	before, after []byte
}

func (d *medium) options(o store.Options) store.Options {
	o.Path = filepath.Join(d.dir, "journal.db")
	o.AnyFilesystem = true
	return o
}

func (d *medium) medium() store.Medium {
	return store.Medium{
		Ring:   func(f store.RingFile) store.RingFile { return ringOn{f, d} },
		Commit: d.commit,
	}
}

// commit is one transaction of bbolt, whole, cut off, or failing.
func (d *medium) commit(commit func() error) error {
	f, strikes := d.w.writes()
	if d.w.o.Plant == LyingDisk && d.w.oneIn(3) {
		d.before, _ = d.read("journal.db") // what the disk really has, from here on
	}
	if !strikes {
		return commit()
	}
	d.died = &death{cause: f, mid: true}
	switch {
	case f == WriteFailed && d.w.oneIn(2):
		return errCut // not even begun
	case f == PowerCutMidWrite:
		d.mu.Lock()
		d.cutting = true
		d.mu.Unlock()
		var err error
		if d.before, err = d.read("journal.db"); err != nil {
			return err
		}
		if err = commit(); err != nil {
			return err
		}
		if d.after, err = d.read("journal.db"); err != nil {
			return err
		}
		return errCut
	}
	return errors.Join(commit(), errCut) // it is all there, and nobody knows
}

func (d *medium) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(d.dir, name)) }

// ringOn is the ring's file on the medium.
type ringOn struct {
	store.RingFile
	d *medium
}

// WriteAt keeps what was there until the next sync.
func (f ringOn) WriteAt(b []byte, at int64) (int, error) {
	before := make([]byte, len(b))
	if _, err := f.ReadAt(before, at); err != nil {
		return 0, err
	}
	f.d.mu.Lock()
	f.d.unsynced = append(f.d.unsynced, ringWrite{at, before, slices.Clone(b)})
	f.d.mu.Unlock()
	return f.RingFile.WriteAt(b, at)
}

// Sync settles what was written, unless the power is going.
func (f ringOn) Sync() error {
	f.d.mu.Lock()
	if !f.d.cutting && f.d.w.o.Plant != LyingDisk {
		f.d.unsynced = f.d.unsynced[:0]
	}
	f.d.mu.Unlock()
	return nil // the file is in memory; what a power cut takes is taken by crash
}

// moveTo makes the files of the next life: what is left of these.
func (d *medium) moveTo(next string, how death) error {
	names, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.Contains(n.Name(), "quarantine") {
			continue // a copy for people; nobody reads it again
		}
		content, err := d.read(n.Name())
		if err != nil {
			return err
		}
		if !how.kill() {
			switch n.Name() {
			case "journal.db":
				content = d.cutJournal(content)
			case "journal.db.ring":
				d.cutRing(content)
			}
		}
		if err := os.WriteFile(filepath.Join(next, n.Name()), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// cutJournal is what a power cut leaves of bbolt's file.
func (d *medium) cutJournal(content []byte) []byte {
	if d.after == nil {
		if d.w.o.Plant == LyingDisk && d.before != nil {
			return d.before
		}
		return content // all synced: nothing was being written
	}
	const metas = 2 * 4096
	out := slices.Clone(d.before)
	if grown := len(d.after) - len(out); grown > 0 {
		out = append(out, make([]byte, grown)...)
	}
	if d.w.oneIn(2) { // the power went before the first sync was done: some pages, no meta page
		d.mix(out[metas:], d.after[metas:])
		return out
	}
	copy(out[metas:], d.after[metas:])
	d.mix(out[:metas], d.after[:metas])
	return out
}

// mix lands any of the sectors that differ; some torn.
func (d *medium) mix(out, after []byte) {
	all, none := d.w.oneIn(4), d.w.oneIn(4)
	for at := 0; at < len(after); at += sector {
		end := min(at+sector, len(after))
		if bytes.Equal(out[at:end], after[at:end]) {
			continue
		}
		if all || !none && d.w.oneIn(2) {
			copy(out[at:end], after[at:end])
		}
	}
}

// cutRing takes back what was not synced of the ring, in any order and torn.
func (d *medium) cutRing(content []byte) {
	for _, r := range slices.Backward(d.unsynced) {
		slot := content[r.at : int(r.at)+len(r.after)]
		copy(slot, r.before)
	}
	for _, r := range d.unsynced {
		d.mix(content[r.at:int(r.at)+len(r.after)], r.after)
	}
}

// leaks says where card data stands in the clear on the disk, or "".
func (d *medium) leaks() (string, error) {
	names, err := os.ReadDir(d.dir)
	if err != nil {
		return "", err
	}
	for _, n := range names {
		content, err := d.read(n.Name())
		if err != nil {
			return "", err
		}
		for _, s := range secrets {
			if at := bytes.Index(content, []byte(s)); at >= 0 {
				return fmt.Sprintf("%s at %d", n.Name(), at), nil
			}
		}
	}
	return "", nil
}
