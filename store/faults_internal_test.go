package store

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noRandom is a machine that gives out no random numbers, after some.
type noRandom struct {
	io.Reader
	left int
}

func (r *noRandom) Read(b []byte) (int, error) {
	if r.left--; r.left < 0 {
		return 0, errInjected
	}
	return r.Reader.Read(b)
}

// withoutRandom runs f with so many random numbers and no more.
func withoutRandom(left int, f func()) {
	was := rand.Reader
	rand.Reader = &noRandom{was, left}
	defer func() { rand.Reader = was }()
	f()
}

// A key, an id and a nonce are random or they are not made.
func TestWithoutRandomNumbersNothingIsSealed(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	for left := range 2 { // the key, the id
		withoutRandom(left, func() {
			if _, err := Open(o); !errors.Is(err, errInjected) {
				t.Errorf("created with %d: %v", left, err)
			}
		})
	}
	secret := testDraft("with a secret")
	secret.Secret = []byte("4111111111111111=2912")
	for name, write := range map[string]func(*Journal) error{
		"append": func(j *Journal) error { _, err := j.Append(secret); return err },
		"note":   func(j *Journal) error { _, err := j.Note(secret); return err },
	} {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		last := j.Last()
		mustAppendHere(t, j, "acknowledged")
		withoutRandom(0, func() {
			if err := write(j); !errors.Is(err, ErrUnknown) || !errors.Is(err, errInjected) {
				t.Errorf("%s: %v", name, err)
			}
		})
		j.Close()
		if j, err = Open(o); err != nil || j.Last() != last+1 {
			t.Fatalf("%s: the next start: %v", name, err)
		}
		j.Close()
	}
	for left := range 2 {
		withoutRandom(left, func() {
			if err := RotateKey(o); !errors.Is(err, errInjected) {
				t.Errorf("changed the key with %d: %v", left, err)
			}
		})
		wantEntries(t, o, 2)
	}
}

// wantEntries opens a journal, and wants so many good entries in it.
func wantEntries(t *testing.T, o Options, n int) {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	v, err := j.Verify(t.Context(), func(Progress) error { return nil })
	if err != nil || len(v.Faults) > 0 || v.Entries != n {
		t.Errorf("%d entries, want %d: %v, %v", v.Entries, n, v.Faults, err)
	}
}

// A secret that does not open stops a change of the key: the old key is the only hope for it.
func TestAKeyIsNotChangedUnderASecretThatDoesNotOpen(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	mustAppendHere(t, j, "a")
	other := newKeyring(masterKey{key: []byte("another key than that of its file")}, j.meta.id)
	j.keys.aead = other.aead
	d := testDraft("sealed with another key")
	d.Secret = []byte("4111111111111111=2912")
	if _, err := j.Append(d); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(o.Path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if err := RotateKey(o); !errors.Is(err, ErrNoSeal) || !strings.Contains(err.Error(), "entry 2") {
		t.Errorf("change of the key: %v", err)
	}
	after, err := os.ReadFile(o.Path + ".key")
	if err != nil || string(after) != string(before) {
		t.Errorf("the key file was changed: %v", err)
	}
	wantEntries(t, o, 2)
	if _, err := os.Stat(o.Path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was begun is still there: %v", err)
	}
}

// A commit that fails while closed payments are forgotten ends the journal, as any other.
func TestAFailedForgettingEndsTheJournal(t *testing.T) {
	for _, landed := range []bool{false, true} {
		o, _ := wreckedInTheMiddle(t, 3, func([]byte, uint64) {})
		f := &faulty{place: "commit", landed: landed}
		j, err := open(o, f.seams())
		if err != nil {
			t.Fatal(err)
		}
		f.armed = true
		now := time.Unix(1_700_001_000, 0)
		if _, err := j.Forget(now, Retention{Payments: 50}); !errors.Is(err, ErrUnknown) {
			t.Errorf("landed %v: %v", landed, err)
		}
		refusesAll(t, j)
		if _, err := j.Forget(now, Retention{Payments: 50}); !errors.Is(err, ErrUnknown) {
			t.Errorf("again: %v", err)
		}
		j.Close()
		if j, err = Open(o); err != nil {
			t.Fatal(err)
		}
		if n := j.Facts().Payments; n != 100 && n != 50 || landed != (n == 50) {
			t.Errorf("landed %v: %d payments on file", landed, n)
		}
		if es, err := j.Story(1); err != nil || es[0].Seq != 1 {
			t.Errorf("what is open: %v, %v", es, err)
		}
		j.Close()
	}
}

// What would be forgotten lies on a wreck: it is not.
func TestNothingIsForgottenOnAWreck(t *testing.T) {
	for name, wreck := range wrecks {
		o, _ := wreckedInTheMiddle(t, 1, wreck)
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		n, err := j.Forget(time.Unix(1_700_001_000, 0), Retention{Payments: 50})
		if !errors.Is(err, ErrUnreadable) || n != 0 || j.Facts().Payments != 100 {
			t.Errorf("%s: %d forgotten, %v", name, n, err)
		}
		j.Close()
		wantCopied(t, o, 200)
	}
}

// What a person finds in /dev fails as media do: full gives no room, zero takes everything and
// can not be synced.
func TestAJournalThatCannotGrowSaysSo(t *testing.T) {
	closed, err := os.CreateTemp(t.TempDir(), "closed")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, file := range map[string]*os.File{
		"can not be synced": device(t, "/dev/zero"), "is closed": closed,
	} {
		o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		mustAppendHere(t, j, "acknowledged")
		mine := j.ledger.file
		j.ledger.file, j.size = file, pageBytes // it has to grow
		if _, err := j.Append(testDraft("doubtful")); !errors.Is(err, ErrUnknown) {
			t.Errorf("a file that %s: %v", name, err)
		}
		refusesUnknown(t, j)
		j.ledger.file = mine
		j.Close()
		wantEntries(t, o, 1)
	}
}

func device(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func refusesUnknown(t *testing.T, j *Journal) {
	t.Helper()
	if _, err := j.Append(testDraft("more")); !errors.Is(err, ErrUnknown) {
		t.Errorf("a dead journal: %v", err)
	}
}

// Without room for a copy both files are written once more in place. Each step of that can fail,
// and then the start does.
func TestARewriteInPlaceThatFailsSaysSo(t *testing.T) {
	good := func() *os.File {
		f, err := os.CreateTemp(t.TempDir(), "good")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if err := f.Truncate(2 * pageBytes); err != nil {
			t.Fatal(err)
		}
		return f
	}
	short, readOnly := good(), good()
	if err := short.Truncate(10); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(readOnly.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	ring := good().Name()
	for name, c := range map[string]struct {
		src  *os.File
		ring string
		want string
	}{
		"a short journal":           {short, ring, "rewrite journal"},
		"a journal only to be read": {readOnly, ring, "rewrite journal"},
		"a journal without a sync":  {device(t, "/dev/zero"), ring, "rewrite journal"},
		"no ring":                   {good(), ring + "-", "rewrite ring"},
		"a full ring":               {good(), "/dev/full", "rewrite ring"},
		"a ring without a sync":     {good(), "/dev/zero", "rewrite ring"},
	} {
		p := &opening{o: Options{RingPath: c.ring}}
		p.noRing()
		if err := p.rewrite(c.src); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := &opening{o: Options{RingPath: ring}}
	p.noRing()
	if err := p.rewrite(good()); err != nil {
		t.Error(err)
	}
}

// A copy that does not have what was put into it never takes the journal's place.
func TestACopyThatIsNotWholeIsRefused(t *testing.T) {
	o := withADestroyedLeaf(t)
	if err := proveCopy(o.Path, 200); !errors.Is(err, ErrUnreadable) {
		t.Errorf("with a destroyed page: %v", err)
	}
	wantMendedAfterScan(t, o)
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := j.Verify(t.Context(), func(Progress) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	if err := proveCopy(o.Path, v.Entries); err != nil {
		t.Error(err)
	}
	if err := proveCopy(o.Path, v.Entries+1); !errors.Is(err, ErrUnreadable) {
		t.Errorf("with one entry less: %v", err)
	}
	if err := proveCopy(o.Path+"-", 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("that is not there: %v", err)
	}
}

// wantMendedAfterScan has somebody meet the damage, and the next start mend it.
func wantMendedAfterScan(t *testing.T, o Options) {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Scan(1, 1000); !errors.Is(err, ErrUnreadable) {
		t.Errorf("scan: %v", err)
	}
	j.Close()
	wantMended(t, o, "of the log")
}

// The entry by which journal and ring are compared is damaged in the journal, or its page is: that is
// no other history.
func TestADamagedEntryIsNoOtherHistory(t *testing.T) {
	for name, length := range map[string]int{"in the tail": 20, "on a page of its own": 3000} {
		for _, harm := range []string{"one bit", "its page"} {
			o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
			j, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, letter := range "abcd" {
				mustAppendHere(t, j, strings.Repeat(string(letter), length))
			}
			at := entryAt(t, j, 3)
			b := make([]byte, 1)
			if harm == "its page" && length > 1000 {
				at, b = at/pageBytes*pageBytes, make([]byte, pageBytes)
			}
			if _, err := j.ledger.file.WriteAt(b, at); err != nil {
				t.Fatal(err)
			}
			j.ledger.drop() // as a KILL
			if j, err = Open(o); err != nil {
				t.Errorf("%s, %s: %v", name, harm, err)
				continue
			}
			if f := j.Facts(); f.Rebuilt == "" || f.LostEntries > 0 {
				t.Errorf("%s, %s: facts %+v", name, harm, f)
			}
			j.Close()
			wantEntries(t, o, 4)
		}
	}
}

// entryAt is where the payload of an entry lies in the file.
func entryAt(t *testing.T, j *Journal, seq uint64) (at int64) {
	t.Helper()
	info, err := j.ledger.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s := surveyFile(j.ledger.file, info.Size())
	s.readLog(nil)
	for _, p := range s.places {
		if p.seq == seq {
			at = p.at + entryHeaderBytes
		}
	}
	if at == 0 {
		t.Fatalf("entry %d is not there", seq)
	}
	return at
}

// A slot whose entries can not be read does not stop the writer, and what was in it is counted.
func TestASlotThatCannotBeReadIsCounted(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	f := &faulty{place: "read"}
	j, err := open(o, f.seams())
	if err != nil {
		t.Fatal(err)
	}
	mustAppendHere(t, j, "stays open")
	f.armed = true
	for range ringSlots {
		d := testDraft("goes by")
		d.Key, d.Mark = 0, MarkKeep
		if _, err := j.Append(d); err != nil {
			t.Fatal(err)
		}
	}
	if n := j.Facts().NotCovered; n != 1 {
		t.Errorf("%d open keys are not covered", n)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = Open(o); err != nil || j.Facts().Refilled == 0 || j.Facts().NotCovered != 0 {
		t.Errorf("the next start: %v", err)
	}
	j.Close()
}

// Marks that can not be compared say nothing.
func TestAStateThatCannotBeReadIsNotThatOfAClose(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	if err := os.WriteFile(markPath(path), []byte("1\nstate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if closedWell(path) {
		t.Error("a journal that is not there")
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if closedWell(path) {
		t.Error("a journal of five bytes")
	}
}
