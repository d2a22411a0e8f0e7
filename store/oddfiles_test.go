package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"reversald/store"
)

// Files that are no files, or cannot be reached: each is refused with words that name it, and nothing
// of the journal is changed.
func TestFilesThatAreNone(t *testing.T) {
	fifo := func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) }
	loop := func(path string) error { return errors.Join(os.Remove(path), os.Symlink(path, path)) }
	dir := func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }
	open := func(o store.Options) error {
		j, err := store.Open(o)
		if err == nil {
			j.Close()
		}
		return err
	}
	verify := func(o store.Options) error { _, err := store.Verify(o); return err }
	examine := func(o store.Options) error { _, err := store.Examine(o); return err }
	compact := func(o store.Options) error { _, _, err := store.Compact(o); return err }
	readRing := func(o store.Options) error { _, err := store.ReadRing(ringOf(o)); return err }
	for _, c := range []struct {
		name string
		harm func(o *store.Options) error
		do   func(o store.Options) error
		want string
	}{
		{"a journal that is a pipe", func(o *store.Options) error { return fifo(o.Path) }, open, "not a regular file"},
		{"a journal that leads to itself", func(o *store.Options) error { return loop(o.Path) }, open, "too many levels"},
		{"a directory to verify", func(o *store.Options) error { return dir(o.Path) }, verify, "not a regular file"},
		{"a ring that leads to itself", func(o *store.Options) error { return loop(ringOf(*o)) }, open, "open ring"},
		{
			"a ring that leads to itself, after a failed write", func(o *store.Options) error {
				return errors.Join(loop(ringOf(*o)), os.WriteFile(o.Path+".suspect", nil, 0o600))
			}, open, "open ring",
		},
		{"a ring to read that is a directory", func(o *store.Options) error { return dir(ringOf(*o)) }, readRing, "read ring"},
		{"a key that is a directory", func(o *store.Options) error { return dir(keyOf(*o)) }, open, "is not a file of 32 bytes"},
		{"a key below a file", func(o *store.Options) error { o.KeyPath = o.Path + "/key"; return nil }, open, "not a directory"},
		{"a key below a file, to verify", func(o *store.Options) error { o.KeyPath = o.Path + "/key"; return nil }, verify, "not a directory"},
		{"a key record of no kind", func(o *store.Options) error {
			return os.WriteFile(keyOf(*o), append([]byte{9}, make([]byte, 32)...), 0o600)
		}, open, "is not a file of 32 bytes"},
		{"a suspicion that is a directory", func(o *store.Options) error { return os.Mkdir(o.Path+".suspect", 0o700) }, open, "is a directory"},
		{"a copy's name taken by a full directory", func(o *store.Options) error {
			return errors.Join(os.MkdirAll(o.Path+".new/full", 0o700), os.WriteFile(o.Path+".suspect", nil, 0o600))
		}, open, "create journal"},
		{"a journal to compact that is not there", func(o *store.Options) error { return os.Remove(o.Path) }, compact, "compact"},
		{"no path to open", noPath, open, "no path"},
		{"no path to verify", noPath, verify, "no path"},
		{"no path to examine", noPath, examine, "no path"},
		{"no path to change the key of", noPath, store.RotateKey, "no path"},
		{"another start to come to the key", func(o *store.Options) error {
			return errors.Join(os.Remove(o.Path), os.Remove(ringOf(*o)), os.Rename(keyOf(*o), keyOf(*o)+".new"), lock(t, keyOf(*o)+".new"))
		}, open, "in use by another process"},
		{"a key that can not be written", func(o *store.Options) error {
			return errors.Join(os.Remove(o.Path), os.Remove(ringOf(*o)), os.Remove(keyOf(*o)), os.Symlink("/dev/full", keyOf(*o)+".new"))
		}, open, "create key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := settled(t)
			if err := c.harm(&o); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(filepath.Dir(keyOf(o)), journalName)
			before := regular(path)
			err := c.do(o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want words like %q", err, c.want)
			}
			if regular(path) != before {
				t.Error("the journal was changed")
			}
		})
	}
}

// regular is the content of a file that is one.
func regular(path string) string {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	b, _ := os.ReadFile(path)
	return string(b)
}

func noPath(o *store.Options) error {
	o.Path = ""
	return nil
}

// lock holds a file as another process would.
func lock(t *testing.T, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	t.Cleanup(func() { f.Close() })
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}

// Marks and rings are helpers: without a good one the journal goes on.
func TestHelpersThatAreNoFiles(t *testing.T) {
	o := settled(t)
	mark := o.Path + ".closed"
	if err := errors.Join(os.Remove(mark), os.Mkdir(mark, 0o700)); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "without a mark"))
	mustClose(t, j)
	if _, err := store.Verify(o); err != nil {
		t.Error(err)
	}
	if err := errors.Join(os.Remove(ringOf(o)), os.Mkdir(ringOf(o), 0o700)); err != nil {
		t.Fatal(err)
	}
	v, err := store.Verify(o)
	if err != nil || len(v.Faults) != 1 || v.Faults[0].File != ringOf(o) {
		t.Errorf("a ring that is a directory: %v, %v", v.Faults, err)
	}
}

// A journal of a newer format is left alone, whoever comes, and whatever was suspected of it.
func TestANewerFormatIsLeftAlone(t *testing.T) {
	o := settled(t)
	db, err := bolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 4})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if found, err := store.Examine(o); err != nil || found != "" {
		t.Errorf("examined: %q, %v", found, err)
	}
	_, err = store.Verify(o)
	wantErr(t, err, store.ErrNewer)
	writeFile(t, o.Path+".suspect", []byte("a write failed\n"))
	before := readFile(t, o.Path)
	_, err = store.Open(o)
	wantErr(t, err, store.ErrNewer)
	if string(readFile(t, o.Path)) != string(before) {
		t.Error("it was changed")
	}
}

// A journal that is suspected while another process has it is waited for, and then refused.
func TestASuspectThatIsInUse(t *testing.T) {
	o := settled(t)
	if err := lock(t, o.Path); err != nil {
		t.Fatal(err)
	}
	writeFile(t, o.Path+".suspect", []byte("a write failed\n"))
	_, err := store.Open(o)
	wantErr(t, err, store.ErrLocked)
}

// A file of an older format that was kept before is not written over by a second one.
func TestASecondCopyOfAnOlderFormatIsKeptToo(t *testing.T) {
	o := options(t.TempDir())
	unpack(t, "testdata/format-1.tar.gz", filepath.Dir(o.Path))
	writeFile(t, o.Path+".format-1", []byte("kept before"))
	j := mustOpen(t, o)
	f := j.Facts()
	if string(readFile(t, o.Path+".format-1")) != "kept before" || !strings.Contains(f.Quarantine, "quarantine-1") {
		t.Errorf("facts: %+v", f)
	}
	wantSound(t, j)
}

// What a proof says of files that do not go together.
func TestVerifyComparesJournalAndRing(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	other := options(copyFiles(t, dir))
	older := options(copyFiles(t, dir))
	for range 3 {
		mustAppend(t, j, draft(1, store.MarkKeep, "this way"))
	}
	mustClose(t, j)
	k := mustOpen(t, other)
	for range 3 {
		mustAppend(t, k, draft(1, store.MarkKeep, "that way"))
	}
	mustClose(t, k)
	copyFile(t, ringOf(other), ringOf(o))
	wantFault(t, o, "differs from the journal")
	// A salvage does not choose between two histories either.
	writeFile(t, o.Path+".suspect", []byte("a write failed\n"))
	_, err := store.Open(o)
	wantErr(t, err, store.ErrLost)
	// A ring that has lost what follows, and knows that there was more.
	copyFile(t, ringOf(other), ringOf(older))
	overwrite(t, ringOf(older), slotWith(t, ringOf(older), "that way", 2), make([]byte, 4096))
	wantFault(t, older, "the ring has seen up to")
}

// slotWith is where the slot begins that holds the first copy of an entry of that text and seq.
func slotWith(t *testing.T, ring, text string, seq byte) int64 {
	t.Helper()
	b := readFile(t, ring)
	for at := 0; at < len(b); at += 4096 {
		slot := b[at : at+4096]
		if i := strings.Index(string(slot), text); i >= 64 && slot[i-64+11] == seq {
			return int64(at)
		}
	}
	t.Fatalf("no slot holds %q of %d", text, seq)
	return 0
}

func wantFault(t *testing.T, o store.Options, want string) {
	t.Helper()
	v, err := store.Verify(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Faults {
		if strings.Contains(f.String(), want) {
			return
		}
	}
	t.Errorf("%q is not among %v", want, v.Faults)
}

// A journal cut to less than its meta pages can still be told from none.
func TestVerifyOfAStump(t *testing.T) {
	o := settled(t)
	if err := os.Truncate(o.Path, 5000); err != nil {
		t.Fatal(err)
	}
	wantFault(t, o, "5000 bytes long")
	found, err := store.Examine(o)
	if err != nil || !strings.Contains(found, "5000 bytes long") {
		t.Errorf("examined: %q, %v", found, err)
	}
}

// An entry of an open payment that is damaged in the journal is no reason to suspect the file: the
// start has it from the ring.
func TestExamineLeavesADamagedEntryToTheStart(t *testing.T) {
	o := settled(t)
	j := mustOpen(t, o)
	mustAppend(t, j, draft(j.Next(), store.MarkOpen, "DAMAGED-LATER"))
	mustAppend(t, j, draft(0, store.MarkKeep, "and one more"))
	mustClose(t, j)
	flip(t, o.Path, "DAMAGED-LATER")
	if found, err := store.Examine(o); err != nil || found != "" {
		t.Errorf("examined: %q, %v", found, err)
	}
	j = mustOpen(t, o)
	if f := j.Facts(); f.Rebuilt == "" || f.LostEntries > 0 || len(f.Damaged) > 0 {
		t.Errorf("facts: %+v", f)
	}
}

// The newest entry is damaged in the journal, and the ring is gone. The index says that it opened
// nothing: the journal goes on behind it, also under another key, and never gives its number again.
func TestTheNewestEntryWithoutAnyCopy(t *testing.T) {
	o := settled(t)
	j := mustOpen(t, o)
	mustAppend(t, j, draft(0, store.MarkKeep, "THE-NEWEST"))
	mustClose(t, j)
	flip(t, o.Path, "THE-NEWEST")
	if err := os.Remove(ringOf(o)); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	f := j.Facts()
	if f.Rebuilt == "" || f.LostEntries != 1 || f.Quarantine == "" {
		t.Errorf("facts: %+v", f)
	}
	mustClose(t, j)
	if err := store.RotateKey(o); err != nil { // behind a gap at the end
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	if first := mustAppend(t, j, draft(0, store.MarkKeep, "the next")); first != f.Last+1 {
		t.Errorf("entry %d follows %d, which was lost", first, f.Last)
	}
	wantSound(t, j)
}

// What is said of a closed journal, and of ranges.
func TestWordsOfAClosedJournal(t *testing.T) {
	o := settled(t)
	j := mustOpen(t, o)
	mustClose(t, j)
	_, err := j.Witness(1)
	wantErr(t, errors.Join(err, store.ErrBusy), store.ErrClosed)
	_, err = j.Forget(day0, store.Retention{})
	wantErr(t, errors.Join(err, store.ErrBusy), store.ErrClosed)
	for want, r := range map[string]store.Range{"5": {First: 5, Last: 5}, "5 to 9": {First: 5, Last: 9}} {
		if r.String() != want {
			t.Errorf("%q, want %q", r, want)
		}
	}
}
