package store

import (
	"encoding/hex"
	"slices"
)

// Facts is what a person asks about a journal.
type Facts struct {
	Path, RingPath, KeyPath string

	ID       string // drawn at creation, 32 hex digits
	Terminal string // recorded at creation
	Format   int
	Size     int64 // bytes of the bbolt file, as of the last commit
	SizeMax  int64
	First    uint64 // oldest entry kept, 0 for none
	Last     uint64 // newest entry in both files, 0 for none
	OpenKeys int
	Payments uint64 // on file, open or closed, as of the last commit
	// NotCovered counts open keys that are in bbolt only, because they no longer fit the ring.
	NotCovered int
	// Damaged are open keys of which an entry is gone in both files. Of those, Fateless may have
	// been closed by what is gone.
	Damaged, Fateless []uint64

	Filesystem, RingFilesystem string
	FilesystemOverridden       bool // on one that cannot keep a journal, by AnyFilesystem

	// KeyInClear: the key itself lies in the key file, though Options.DeriveKey could make one.
	KeyInClear bool

	// What Open did.
	Created       bool
	RingRecreated bool   // the ring was gone or cut short
	RingDamaged   int    // slots that could not be read
	Recovered     int    // entries that only the ring had
	Refilled      int    // entries that the ring lacked
	Rebuilt       string // why everything was copied into new files, or empty
	Quarantine    string // where the old journal is then
	LostEntries   uint64 // that are gone since: neither file had them whole

	// What SelfCheck found. Checked is 0 until it has reached the end.
	Checked int
	Faults  []Fault
	Lost    []Range // gaps that earlier damage has left
}

// Facts returns what is known without reading the files.
func (j *Journal) Facts() Facts {
	j.ringMu.Lock()
	notCovered := j.ring.uncovered(j.tip)
	j.ringMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.facts
	f.Path, f.RingPath, f.KeyPath = j.opt.Path, j.opt.RingPath, j.opt.KeyPath
	f.ID, f.Terminal = hex.EncodeToString(j.meta.id[:]), j.meta.terminal
	f.KeyInClear = j.opt.DeriveKey != nil && j.keys.master.salt == nil
	f.Format, f.SizeMax = formatVersion, j.opt.SizeMax
	f.Last = j.last.Load()
	if f.Last > j.meta.base {
		f.First = j.meta.base + 1
	}
	f.OpenKeys, f.NotCovered = len(j.shown), notCovered
	f.Payments = j.shownPayments
	for _, key := range j.shown.keys() {
		switch j.shown[key].damage {
		case DamageFate:
			f.Fateless = append(f.Fateless, key)
			f.Damaged = append(f.Damaged, key)
		case DamagePart:
			f.Damaged = append(f.Damaged, key)
		}
	}
	f.Faults, f.Lost = slices.Clone(f.Faults), slices.Clone(f.Lost)
	return f
}
