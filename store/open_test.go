package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"reversald/store"
)

// settled makes a journal with three entries, one key open, and closes it.
func settled(t *testing.T) store.Options {
	t.Helper()
	o := options(t.TempDir())
	o.Terminal = "T1"
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	mustAppend(t, j, draft(2, store.MarkOpen, "b"), draft(2, store.MarkClose, "c"))
	mustClose(t, j)
	return o
}

func ringOf(o store.Options) string { return o.Path + ".ring" }
func keyOf(o store.Options) string  { return o.Path + ".key" }

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(t *testing.T, o *store.Options) error
		want error
	}{
		{"a journal that vanished with its ring", func(_ *testing.T, o *store.Options) error {
			return errors.Join(os.Remove(o.Path), os.Remove(ringOf(*o)))
		}, store.ErrLost},
		{"a journal that vanished with its key", func(_ *testing.T, o *store.Options) error {
			return errors.Join(os.Remove(o.Path), os.Remove(keyOf(*o)))
		}, store.ErrLost},
		{"a directory", func(_ *testing.T, o *store.Options) error {
			return errors.Join(os.Remove(o.Path), os.Mkdir(o.Path, 0o700))
		}, store.ErrUnreadable},
		{"a journal from the future", func(_ *testing.T, o *store.Options) error {
			db, err := bolt.Open(o.Path, 0o600, nil)
			if err != nil {
				return err
			}
			err = db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 4})
			})
			return errors.Join(err, db.Close())
		}, store.ErrNewer},
		{"another journal in its place", func(t *testing.T, o *store.Options) error {
			return os.Rename(settled(t).Path, o.Path)
		}, store.ErrOtherKey},
		{"another journal with its key, beside our ring", func(t *testing.T, o *store.Options) error {
			other := settled(t)
			return errors.Join(os.Rename(other.Path, o.Path), os.Rename(keyOf(other), keyOf(*o)))
		}, store.ErrLost},
		{"the journal of another terminal", func(_ *testing.T, o *store.Options) error {
			o.Terminal = "T2"
			return nil
		}, store.ErrOtherTerminal},
		{"a key others can read", func(_ *testing.T, o *store.Options) error {
			return os.Chmod(keyOf(*o), 0o640)
		}, store.ErrKeyWide},
		{"a missing key", func(_ *testing.T, o *store.Options) error {
			return os.Remove(keyOf(*o))
		}, store.ErrKeyLost},
		{"a key cut short", func(_ *testing.T, o *store.Options) error {
			return os.Truncate(keyOf(*o), 31)
		}, store.ErrKeyLost},
		{"another key", func(_ *testing.T, o *store.Options) error {
			return os.WriteFile(keyOf(*o), bytes.Repeat([]byte{7}, 32), 0o600)
		}, store.ErrOtherKey},
		{"a limit too small", func(_ *testing.T, o *store.Options) error {
			o.SizeMax = 4096
			return nil
		}, store.ErrRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := settled(t)
			if err := c.harm(t, &o); err != nil {
				t.Fatal(err)
			}
			before := listing(t, filepath.Dir(o.Path))
			_, err := store.Open(o)
			wantErr(t, err, c.want)
			if after := listing(t, filepath.Dir(o.Path)); after != before {
				t.Errorf("a refusal changed the files:\n%s\n%s", before, after)
			}
		})
	}
}

// listing is names and sizes.
func listing(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s:%d ", f.Name(), info.Size())
	}
	return b.String()
}

func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesAJournalInUse(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	_, err := store.Open(o)
	wantErr(t, err, store.ErrLocked)
	mustAppend(t, j, draft(1, store.MarkOpen, "still works"))
	mustClose(t, j)
	wantTexts(t, mustOpen(t, o), "1 1 still works")
}

// Who waits for the lock while the journal is replaced by a rebuild must not end up with the file
// that was put aside.
func TestOpenRefusesAFileThatWasReplacedWhileItWaited(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	waiting := make(chan error)
	go func() {
		late := o
		late.LockTimeout = 5 * time.Second
		_, err := store.Open(late)
		waiting <- err
	}()
	time.Sleep(100 * time.Millisecond)
	copyFile(t, o.Path, o.Path+".other")
	if err := os.Rename(o.Path+".other", o.Path); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	wantErr(t, <-waiting, store.ErrLocked)
}

func TestOpenRefusesMemory(t *testing.T) {
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		t.Skip("no memory file system here")
	}
	dir, err := os.MkdirTemp(shm, "store-test-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o := options(dir)
	o.AnyFilesystem = false
	_, err = store.Open(o)
	wantErr(t, err, store.ErrFilesystem)
	if got := listing(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
	o.AnyFilesystem = true
	if f := mustOpen(t, o).Facts(); !f.FilesystemOverridden || f.Filesystem != "tmpfs" {
		t.Errorf("facts do not name the override: %+v", f)
	}
}

func TestAMissingRingIsMadeAnewAndFilled(t *testing.T) {
	for name, harm := range map[string]func(string) error{
		"gone":  os.Remove,
		"empty": func(p string) error { return os.Truncate(p, 0) },
		"short": func(p string) error { return os.Truncate(p, 9000) },
	} {
		t.Run(name, func(t *testing.T) {
			o := settled(t)
			if err := harm(ringOf(o)); err != nil {
				t.Fatal(err)
			}
			j := mustOpen(t, o)
			f := j.Facts()
			if !f.RingRecreated || f.Created || f.Refilled != 3 || f.NotCovered != 0 {
				t.Errorf("facts: %+v", f)
			}
			ring, err := store.ReadRing(ringOf(o))
			if err != nil || len(ring.Entries) != 3 || ring.Acked != 3 {
				t.Errorf("ring: %+v, %v", ring, err)
			}
			wantTexts(t, j, "1 1 a", "2 2 b", "3 2 c")
		})
	}
}

// A power cut leaves some of the files under their final names and the rest under temporary
// ones, in the order that create renames them.
func TestCreationCutOffAnywhereIsFinishedOrRepeated(t *testing.T) {
	whole := options(t.TempDir())
	mustClose(t, mustOpen(t, whole))
	for cut, state := range [][]string{
		{"journal.db.key.new"},
		{"journal.db.key.new", "journal.db.ring.new"},
		{"journal.db.key.new", "journal.db.ring"},
		{"journal.db.key.new", "journal.db.ring", "journal.db.new"},
		{"journal.db.key.new", "journal.db.ring", "journal.db"},
		{"journal.db.key", "journal.db.ring", "journal.db"},
	} {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			o := options(t.TempDir())
			dir := filepath.Dir(o.Path)
			for _, name := range state {
				from := filepath.Join(filepath.Dir(whole.Path), strings.TrimSuffix(name, ".new"))
				copyFile(t, from, filepath.Join(dir, name))
			}
			if cut == 0 { // the key may be torn as well
				overwrite(t, filepath.Join(dir, state[0]), 0, make([]byte, 64))
			}
			j := mustOpen(t, o)
			mustAppend(t, j, draft(1, store.MarkOpen, "a"))
			mustClose(t, j)
			wantTexts(t, mustOpen(t, o), "1 1 a")
			if got, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || len(got) > 0 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

func TestFactsSayWhatIsThere(t *testing.T) {
	o := settled(t)
	j := mustOpen(t, o)
	f := j.Facts()
	if f.First != 1 || f.Last != 3 || f.OpenKeys != 1 || f.Terminal != "T1" || len(f.ID) != 32 ||
		f.Size == 0 || f.Filesystem == "" || f.Created || f.Rebuilt != "" {
		t.Errorf("facts: %+v", f)
	}
}

// Opening must not slow down with what is closed: only open keys are read.
func BenchmarkOpen(b *testing.B) {
	for _, closed := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("closed=%d", closed), func(b *testing.B) {
			o := options(b.TempDir())
			j := mustOpen(b, o)
			for j.Last() < uint64(closed) {
				ds := make([]store.Draft, 50)
				for i := range ds {
					ds[i] = store.Draft{Key: j.Next(), Kind: 1, Mark: store.MarkClose, Payload: make([]byte, 300)}
				}
				mustAppend(b, j, ds...)
			}
			for range 10 {
				mustAppend(b, j, typical(j.Next(), store.MarkOpen))
			}
			mustClose(b, j)
			for b.Loop() {
				mustClose(b, mustOpen(b, o))
			}
		})
	}
}
