package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// The ring on another partition does what it does beside the journal: it gives back what was open
// when the journal's partition is gone, is made anew when its own was formatted, and when its own is
// not mounted nothing is made in the mount point's place.
func TestTheRingOnAnotherPartition(t *testing.T) {
	one, other := t.TempDir(), memoryDir(t)
	o := options(one)
	o.RingPath = filepath.Join(other, "mounted", "ring")
	o.KeyPath = filepath.Join(other, "key")
	if err := os.Mkdir(filepath.Dir(o.RingPath), 0o700); err != nil {
		t.Fatal(err)
	}
	open := shopDayAt(t, o)
	if f := mustFacts(t, o); f.NotCovered != 0 || f.RingFilesystem == "" {
		t.Errorf("facts: %+v", f)
	}

	// The journal's partition is formatted.
	for _, name := range mustGlob(t, one+"/*") {
		os.Remove(name)
	}
	j := mustOpen(t, o)
	if diff := cmp.Diff(open, j.OpenKeys()); diff != "" {
		t.Errorf("open keys:\n%s", diff)
	}
	for _, key := range open {
		if _, err := j.Story(key); err != nil {
			t.Error(err)
		}
	}
	if j.Facts().Rebuilt == "" {
		t.Error("nothing is said of it")
	}
	mustClose(t, j)

	// The ring's is, and then it is not mounted.
	if err := os.Remove(o.RingPath); err != nil {
		t.Fatal(err)
	}
	if f := mustFacts(t, o); !f.RingRecreated || f.NotCovered != 0 || f.OpenKeys != len(open) {
		t.Errorf("facts: %+v", f)
	}
	if err := os.RemoveAll(filepath.Dir(o.RingPath)); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(o)
	wantErr(t, err, fs.ErrNotExist)
	if _, err := os.Stat(filepath.Dir(o.RingPath)); err == nil {
		t.Error("a ring was made where nothing is mounted")
	}
}

// shopDayAt leaves two payments open and closes some, and closes the journal.
func shopDayAt(t *testing.T, o store.Options) (open []uint64) {
	t.Helper()
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	for range 60 {
		sale(t, j)
	}
	mustAppend(t, j, typical(j.Next(), store.MarkOpen))
	open = j.OpenKeys()
	mustClose(t, j)
	return open
}

func mustFacts(t *testing.T, o store.Options) store.Facts {
	t.Helper()
	j := mustOpen(t, o)
	f := j.Facts()
	mustClose(t, j)
	wantProven(t, o)
	return f
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
