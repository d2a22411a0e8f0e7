package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var errInjected = errors.New("injected")

// faulty fails at one place, once armed, after or instead of doing what was asked.
type faulty struct {
	ringFile
	place  string // read, write, sync, commit
	landed bool
	armed  bool
}

func (f *faulty) strikes(place string) bool { return f.armed && f.place == place }

func (f *faulty) WriteAt(b []byte, at int64) (int, error) {
	if f.strikes("write") && !f.landed {
		return 0, errInjected
	}
	n, err := f.ringFile.WriteAt(b, at)
	if f.strikes("write") {
		err = errInjected
	}
	return n, err
}

func (f *faulty) ReadAt(b []byte, at int64) (int, error) {
	if f.strikes("read") {
		return 0, errInjected
	}
	return f.ringFile.ReadAt(b, at)
}

func (f *faulty) Sync() error {
	if f.strikes("sync") && !f.landed {
		return errInjected
	}
	return errors.Join(f.ringFile.Sync(), f.err("sync"))
}

func (f *faulty) commit(db *bolt.DB, fn func(*bolt.Tx) error) error {
	if f.strikes("commit") && !f.landed {
		return errInjected
	}
	return errors.Join(db.Update(fn), f.err("commit"))
}

func (f *faulty) err(place string) error {
	if f.strikes(place) {
		return errInjected
	}
	return nil
}

func (f *faulty) seams() seams {
	return seams{
		ring:   func(r ringFile) ringFile { f.ringFile = r; return f },
		commit: f.commit,
	}
}

// Every write fault twice: failed and absent, failed and present. Either way the call says that
// nobody knows, nothing works any more, and the next start finds a sound journal with everything
// that was acknowledged and with the doubtful entry either whole or not at all.
func TestAFailedWriteEndsTheJournalAndTheNextStartFindsOut(t *testing.T) {
	for _, place := range []string{"write", "sync", "commit"} {
		for _, landed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s landed %v", place, landed), func(t *testing.T) {
				o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), AnyFilesystem: true}
				f := &faulty{place: place, landed: landed}
				j, err := open(o, f.seams())
				if err != nil {
					t.Fatal(err)
				}
				mustAppendHere(t, j, "acknowledged")
				f.armed = true
				_, err = j.Append(testDraft("doubtful"))
				if !errors.Is(err, ErrUnknown) || !errors.Is(err, errInjected) {
					t.Fatalf("append: %v", err)
				}
				f.armed = false
				refusesAll(t, j)
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}

				j, err = Open(o)
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				facts := j.Facts()
				if facts.Rebuilt == "" || facts.Quarantine == "" {
					t.Errorf("the files were not renewed: %+v", facts)
				}
				if _, err := os.Stat(facts.Quarantine); err != nil {
					t.Error(err)
				}
				// A ring that was not written to and a commit that did not happen are the only
				// way for the entry to be in neither.
				if last := j.Last(); last < 1 || last > 2 {
					t.Errorf("last is %d", last)
				}
				c, err := j.Verify(t.Context(), func(Progress) error { return nil })
				if err != nil || len(c.Faults) > 0 || c.Entries != int(j.Last()) {
					t.Errorf("check: %+v, %v", c, err)
				}
				mustAppendHere(t, j, "goes on")
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if j, err = Open(o); err != nil || j.Facts().Rebuilt != "" {
					t.Fatalf("second start: %v", err)
				}
				j.Close()
			})
		}
	}
}

func testDraft(text string) Draft {
	return Draft{Key: 1, Kind: 1, Mark: MarkOpen, Payload: []byte(text)}
}

func mustAppendHere(t *testing.T, j *Journal, text string) {
	t.Helper()
	if _, err := j.Append(testDraft(text)); err != nil {
		t.Fatal(err)
	}
}

func refusesAll(t *testing.T, j *Journal) {
	t.Helper()
	_, aerr := j.Append(testDraft("more"))
	_, nerr := j.Note(testDraft("more"))
	_, serr := j.Scan(1, 1)
	_, terr := j.Story(1)
	for i, err := range []error{aerr, nerr, j.Flush(), serr, terr} {
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, errInjected) {
			t.Errorf("call %d on a dead journal: %v", i, err)
		}
	}
}

// A note that cannot be written is as bad.
func TestAFailedNoteEndsTheJournal(t *testing.T) {
	for _, landed := range []bool{false, true} {
		o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), AnyFilesystem: true}
		f := &faulty{place: "write", landed: landed}
		j, err := open(o, f.seams())
		if err != nil {
			t.Fatal(err)
		}
		mustAppendHere(t, j, "acknowledged")
		f.armed = true
		if _, err := j.Note(testDraft("noted")); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		j.Close()
		if j, err = Open(o); err != nil {
			t.Fatal(err)
		}
		if want := uint64(1); !landed && j.Last() != want || landed && j.Last() != want+1 {
			t.Errorf("landed %v: last is %d", landed, j.Last())
		}
		j.Close()
	}
}

// Between bbolt's commit and the end of Append an entry is in one place only: readers must not act
// on it.
func TestReadersSeeNothingBeforeBothFilesHaveIt(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), AnyFilesystem: true}
	var j *Journal
	var seen []Entry
	var last uint64
	j, err := open(o, seams{commit: func(db *bolt.DB, fn func(*bolt.Tx) error) error {
		err := db.Update(fn)
		last = j.Last()
		es, serr := j.Scan(1, 10)
		seen = append(seen, es...)
		return errors.Join(err, serr)
	}})
	if err != nil {
		t.Fatal(err)
	}
	mustAppendHere(t, j, "x")
	if len(seen) != 0 || last != 0 || len(j.OpenKeys()) != 1 || j.Last() != 1 {
		t.Errorf("seen %v, last %d", seen, last)
	}
	j.Close()
}

// bbolt panics on a corrupt page. The panic becomes an error, and the file can be opened again.
func TestAPanicInsideBboltIsAnError(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), AnyFilesystem: true}
	j, err := open(o, seams{commit: func(db *bolt.DB, _ func(*bolt.Tx) error) error {
		if _, err := db.Begin(true); err != nil { // its lock stays held
			return err
		}
		panic("page 7: not a leaf page")
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(testDraft("x")); !errors.Is(err, ErrUnreadable) || !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, err = Open(o)
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
}

func TestFilesystemsAreJudgedByTheirNumber(t *testing.T) {
	for magic, unfit := range map[uint32]bool{
		0xef53: false, 0xf2f52010: false, 0x24051905: false, 0x12345678: false,
		0x72b6: true, 0x01021994: true, 0x4d44: true, 0x6969: true, 0x01021997: true,
	} {
		if name, got := judgeFilesystem(magic); got != unfit || name == "" {
			t.Errorf("%#x: %s, unfit %v", magic, name, got)
		}
	}
}
