package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"reversald/store"
)

// A journal that is gone while its ring is an old one has lost payments that neither knows of. The
// mark does, after a KILL or a power cut too: nothing starts until a person has said so, and the
// numbers that are gone are not given out again.
func TestAVanishedJournalWithAnOldRingIsNoticed(t *testing.T) {
	for _, both := range []bool{false, true} {
		o := options(t.TempDir())
		j := mustOpen(t, o)
		mustAppend(t, j, typical(1, store.MarkOpen))
		old := copyFiles(t, filepath.Dir(o.Path))
		for range 200 {
			sale(t, j)
		}
		mustAppend(t, j, typical(j.Next(), store.MarkOpen))
		last := j.Last()
		now := copyFiles(t, filepath.Dir(o.Path)) // as a KILL leaves it
		mustClose(t, j)
		o = options(now)
		os.Remove(o.Path)
		if both { // an older copy of both was put back
			copyFile(t, filepath.Join(old, journalName), o.Path)
		}
		copyFile(t, filepath.Join(old, ringName), ringOf(o))
		_, err := store.Open(o)
		wantErr(t, err, store.ErrLost)
		_, err = store.Salvage(o, false)
		wantErr(t, err, store.ErrLost)
		f, err := store.Salvage(o, true)
		if err != nil || f.OpenKeys != 1 || f.LostEntries != last-1 {
			t.Fatalf("both %v: facts %+v, %v", both, f, err)
		}
		j = mustOpen(t, o)
		if j.Next() != last+1 {
			t.Errorf("both %v: the next entry is %d, want %d", both, j.Next(), last+1)
		}
		mustAppend(t, j, typical(j.Next(), store.MarkOpen))
		mustClose(t, j)
		wantProven(t, o)
	}
}

// The mark is a witness and nothing else: lost, cut, damaged or of another journal it is passed
// over, and it is there again after the next commit.
func TestAMarkThatIsNoneIsPassedOver(t *testing.T) {
	whole := func(t *testing.T) []byte {
		o := options(t.TempDir())
		j := mustOpen(t, o)
		for range 50 {
			sale(t, j)
		}
		mustClose(t, j)
		return readFile(t, o.Path+".closed")
	}
	other := whole(t)
	for name, harm := range map[string]func(t *testing.T, path string){
		"lost":         func(_ *testing.T, path string) { os.Remove(path) },
		"a directory":  func(_ *testing.T, path string) { os.Remove(path); os.Mkdir(path, 0o700) },
		"empty":        func(t *testing.T, path string) { writeFile(t, path, nil) },
		"cut":          func(t *testing.T, path string) { writeFile(t, path, other[:19]) },
		"of another":   func(t *testing.T, path string) { writeFile(t, path, other) },
		"a higher one": func(t *testing.T, path string) { b := readFile(t, path); b[0] = '1'; writeFile(t, path, b) },
	} {
		o := settled(t)
		path := o.Path + ".closed"
		harm(t, path)
		j, err := store.Open(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mustAppend(t, j, typical(j.Next(), store.MarkOpen))
		mustClose(t, j)
		if name == "a directory" {
			continue
		}
		if b := readFile(t, path); len(b) < len(other)-8 {
			t.Errorf("%s: the mark is %q", name, b)
		}
	}
}

// What is said in FORMAT.md of what no file can tell: with the journal gone, an old ring and no
// mark, everything that is left is opened, the loss of the journal is named, and that the ring was
// an old one is known to nobody.
func TestWhatNoWitnessHasIsNotNoticed(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	old := copyFiles(t, filepath.Dir(o.Path))
	mustAppend(t, j, typical(2, store.MarkOpen))
	mustClose(t, j)
	o = options(old)
	os.Remove(o.Path)
	os.Remove(o.Path + ".closed")
	j = mustOpen(t, o)
	if f := j.Facts(); f.OpenKeys != 1 || f.Last != 1 || f.Rebuilt != "the journal was gone, its ring was there" {
		t.Errorf("facts: %+v", f)
	}
}
