package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"reversald/store"
)

// finding is what is wrong with a state, a word first that says of which kind it is.
type finding struct {
	kind string
	text string
}

func (f *finding) Error() string { return f.kind + ": " + f.text }

func found(kind, format string, args ...any) error {
	return &finding{kind, fmt.Sprintf(format, args...)}
}

// verdict is what came of one state.
type verdict struct {
	rebuilt bool // everything was copied into new files
	gone    int  // closed entries that damage took, and that the ring had let go of
}

// lenience is what a state may look like beyond the promise of a power cut, and who looks at it
// before it is opened.
type lenience struct {
	damaged bool // one of the files is damaged as well: old closed entries may be gone
	// checked: a closed entry may turn out to be damaged. The check in the background finds it, and
	// the next start mends it, as with a daemon.
	checked bool
	look    func(store.Options) (string, error)
}

// judgeJournal opens what is in a folder as the next start would, and says what is wrong. deep
// also looks at what a second start makes of it.
func judgeJournal(dir string, t *truth, l lenience, deep bool) (v verdict, err error) {
	o := journalOptions(dir)
	if l.look != nil {
		o.Examine = l.look
	}
	j, err := store.Open(o)
	if err != nil && l.damaged && t.acked == 0 {
		return v, nil // nothing was promised yet, and a person is told
	}
	if err != nil {
		return v, found("refused", "%v", err)
	}
	defer func() {
		if err != nil {
			j.Close()
		}
	}()
	if l.checked {
		if j, err = selfChecked(j, o); err != nil {
			return v, err
		}
	}
	f := j.Facts()
	v.rebuilt = f.Rebuilt != ""
	last := j.Last()
	switch {
	case last < t.acked:
		return v, found("LOST", "the last is %d, %d was acknowledged", last, t.acked)
	case last > t.tried:
		return v, found("invented", "the last is %d, %d was tried", last, t.tried)
	case len(f.Damaged) > 0:
		return v, found("LOST", "payments %v are damaged", f.Damaged)
	case f.LostEntries > 0 && !l.damaged:
		return v, found("LOST", "%d entries are gone", f.LostEntries)
	case f.NotCovered > 0:
		return v, found("uncovered", "%d open payments are not in the ring", f.NotCovered)
	}
	open := t.open(last)
	if got := j.OpenKeys(); !slices.Equal(got, open) {
		return v, found("index", "open are %v, must be %v", got, open)
	}
	if v.gone, err = compareEntries(j, t, l, f.First); err != nil {
		return v, err
	}
	if err := tellStories(j, open); err != nil {
		return v, err
	}
	if err := goOn(j, t, last); err != nil {
		return v, err
	}
	if err := j.Close(); err != nil {
		return v, found("close", "%v", err)
	}
	return v, proven(o, last+1, deep)
}

// selfChecked is the journal after the check in the background and, if that has found something,
// another start.
func selfChecked(j *store.Journal, o store.Options) (*store.Journal, error) {
	c, err := j.SelfCheck(context.Background(), func() {})
	if err != nil || len(c.Faults) == 0 {
		return j, err
	}
	if err := j.Close(); err != nil {
		return j, found("close", "%v", err)
	}
	again, err := store.Open(o)
	if err != nil {
		return j, found("refused", "after a check that found %s: %v", c.Faults[0], err)
	}
	return again, nil
}

// compareEntries holds every entry against what was written. Those of closed payments may have
// been forgotten, from the oldest on, when that had begun.
func compareEntries(j *store.Journal, t *truth, l lenience, first uint64) (gone int, err error) {
	have := map[uint64]bool{}
	for from := uint64(1); from <= j.Last(); {
		es, err := j.Scan(from, 1024)
		if err != nil {
			return 0, found("unreadable", "%v", err)
		}
		if len(es) == 0 {
			break
		}
		for i := range es {
			e := &es[i]
			want := t.entries[e.Seq]
			if want.key != e.Key || want.mark != e.Mark || want.sum != sumOf(e.Payload) {
				return 0, found("LIE", "entry %d is not what was written", e.Seq)
			}
			have[e.Seq] = true
		}
		from = es[len(es)-1].Seq + 1
	}
	openNow := map[uint64]bool{}
	for _, key := range j.OpenKeys() {
		openNow[key] = true
	}
	for seq := uint64(1); seq <= j.Last(); seq++ {
		switch f := t.entries[seq]; {
		case have[seq]:
		case f.key != 0 && openNow[f.key]:
			return 0, found("LOST", "entry %d of open payment %d", seq, f.key)
		case t.forgets && seq < first:
		case l.damaged:
			gone++
		default:
			return 0, found("LOST", "entry %d", seq)
		}
	}
	return gone, nil
}

// tellStories reads what a reversal would be made from.
func tellStories(j *store.Journal, open []uint64) error {
	for _, key := range open {
		es, err := j.Story(key)
		if err != nil {
			return found("story", "of %d: %v", key, err)
		}
		for _, e := range es {
			secret, err := j.Unseal(e)
			if err != nil {
				return found("story", "secret of %d: %v", e.Seq, err)
			}
			want := fmt.Appendf(nil, "secret of %d", e.Seq)
			if e.Kind == 1 && len(e.Boot) > 0 && e.Boot[1] == 7 && !bytes.Equal(secret, want) &&
				!migrated(secret) {
				return found("story", "secret of %d is another", e.Seq)
			}
		}
	}
	return nil
}

// migrated holds for the secrets of the sample journals, which are card numbers for tests.
func migrated(secret []byte) bool { return bytes.ContainsRune(secret, '=') }

// goOn writes the next entry.
func goOn(j *store.Journal, t *truth, last uint64) error {
	d := store.Draft{Key: 0, Kind: 9, Mark: store.MarkKeep, Payload: []byte("goes on")}
	if seq, err := j.Append(d); err != nil || seq != last+1 {
		return found("stopped", "append gave %d, want %d: %v", seq, last+1, err)
	}
	if len(t.open(last)) != len(j.OpenKeys()) {
		return found("index", "changed by an entry of no payment")
	}
	return nil
}

// proven has the files prove themselves.
func proven(o store.Options, last uint64, deep bool) error {
	v, err := store.Verify(o)
	if err != nil {
		return found("verify", "%v", err)
	}
	if len(v.Faults) > 0 {
		return found("verify", "%d faults: %v", len(v.Faults), v.Faults[0])
	}
	if v.Last != last {
		return found("verify", "the last is %d, must be %d", v.Last, last)
	}
	if !deep {
		return nil
	}
	j, err := store.Open(o)
	if err != nil {
		return found("refused", "at the second start: %v", err)
	}
	f := j.Facts()
	if err := j.Close(); err != nil {
		return found("close", "%v", err)
	}
	if f.Last != last || f.Rebuilt != "" {
		return found("second start", "last %d, must be %d; rebuilt: %s", f.Last, last, f.Rebuilt)
	}
	return nil
}

// lay puts an image into a folder, over what is there.
func (m *image) lay(dir string) error {
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range there {
		if _, is := m.names[f.Name()]; !is {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	linked := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(m.names)) {
		file := m.names[name]
		path := filepath.Join(dir, name)
		if other, is := linked[file]; is {
			err := errors.Join(forget(path), os.Link(other, path))
			if err != nil {
				return err
			}
			continue
		}
		linked[file] = path
		if err := overwrite(path, m.files[file]); err != nil {
			return err
		}
	}
	return nil
}

func forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// overwrite gives a file this content, in the blocks it has. A file with a second name is made
// anew: the other name must keep what it has.
func overwrite(path string, content []byte) error {
	if info, err := os.Lstat(path); err == nil && (linksOf(info) > 1 || !info.Mode().IsRegular()) {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(content)))
}
