package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var errSick = errors.New("the medium gives nothing back")

// sickDisk fails one of its reads, and says that it did.
type sickDisk struct {
	r      io.ReaderAt
	fail   int // this read, counted from 0
	reads  int
	failed bool
}

func (d *sickDisk) ReadAt(b []byte, at int64) (int, error) {
	d.reads++
	if d.reads-1 == d.fail {
		d.failed = true
		return 0, errSick
	}
	return d.r.ReadAt(b, at)
}

// Whatever read fails, nobody takes the file for a sound one: not the look before a start, not who
// follows the log, and not who proves all of it.
func TestNoFailedReadPassesForASoundFile(t *testing.T) {
	file := journalWithLongEntries(t)
	size := int64(len(file))
	readers := map[string]func(r io.ReaderAt) error{
		"the look before a start": func(r io.ReaderAt) error { return leadsNowhere(r, size) },
		"the proof": func(r io.ReaderAt) error {
			s := surveyFile(r, size)
			s.readLog(func(uint64, []byte) {})
			return firstOf(s.faults)
		},
		"a salvage": func(r io.ReaderAt) error {
			s := surveyFile(r, size)
			s.readLog(nil)
			for _, p := range s.places {
				if _, err := p.read(r); err != nil {
					return err
				}
			}
			return firstOf(s.faults)
		},
		"the structure alone": func(r io.ReaderAt) error {
			f, err := openPages(r, size)
			if err != nil {
				return err
			}
			f.markTree(logRoot(t, file), func(_ uint64, perr error) { err = perr })
			return err
		},
		"who goes through the log": func(r io.ReaderAt) error {
			f, err := openPages(r, size)
			if err != nil {
				return err
			}
			tree := newLogTree(f, logRoot(t, file))
			c := treeCursor{t: tree}
			for k, _ := c.seek(0); k != nil; {
				k, _ = c.next()
			}
			return tree.err
		},
	}
	for name, read := range readers {
		healthy := &sickDisk{r: bytes.NewReader(file), fail: -1}
		if err := read(healthy); err != nil || healthy.reads < 5 {
			t.Fatalf("%s: %d reads, %v", name, healthy.reads, err)
		}
		for n := range healthy.reads {
			if err := read(&sickDisk{r: bytes.NewReader(file), fail: n}); err == nil {
				t.Errorf("%s: read %d of %d failed, and nothing was said", name, n, healthy.reads)
			}
		}
	}
	if n := goodMetas(&sickDisk{r: bytes.NewReader(file), fail: 1}); n != 1 {
		t.Errorf("%d meta pages are whole where one can not be read", n)
	}
}

func firstOf(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return errors.New(faults[0].String())
}

// journalWithLongEntries is the file of a journal, some entries of which need more than one page.
func journalWithLongEntries(t *testing.T) []byte {
	t.Helper()
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 30 {
		d := testDraft(strings.Repeat("some payload ", 10+n%3*130))
		d.Secret = bytes.Repeat([]byte{1}, n%3*120)
		d.Key = j.Next()
		if _, err := j.Append(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// rewriteMetas changes a field of both meta pages, and their checksums with it.
func rewriteMetas(file []byte, field, value int) {
	for page := range 2 {
		b := file[page*pageBytes+pageHeaderBytes:]
		if field < 16 {
			binary.NativeEndian.PutUint32(b[field:], uint32(value))
		} else {
			binary.NativeEndian.PutUint64(b[field:], uint64(value))
		}
		h := fnv.New64a()
		h.Write(b[:56])
		binary.NativeEndian.PutUint64(b[56:], h.Sum64())
	}
}

// A meta page with a good checksum can still be one that bbolt must not follow. The journal is
// salvaged; that of a bbolt to come is left alone.
func TestMetaPagesThatMustNotBeFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		field, value int
		want         string
	}{
		"of other pages":       {8, 8192, "pages of 8192 bytes"},
		"without a freelist":   {32, -1, "without a freelist"},
		"a root beyond":        {16, 1 << 30, "points beyond the end"},
		"a freelist beyond":    {32, 1 << 30, "points beyond the end"},
		"more pages than file": {40, 1 << 30, "cut short"},
		"of a bbolt to come":   {4, 3, "newer version"},
	} {
		o := withADestroyedLeaf(t)
		file, err := os.ReadFile(o.Path)
		if err != nil {
			t.Fatal(err)
		}
		rewriteMetas(file, c.field, c.value)
		if err := os.WriteFile(o.Path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := leadsNowhere(bytes.NewReader(file), int64(len(file))); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the look before a start: %v", name, err)
		}
		j, err := Open(o)
		if name == "of a bbolt to come" {
			if !errors.Is(err, ErrNewer) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f := j.Facts(); !strings.Contains(f.Rebuilt, c.want) || f.Quarantine == "" {
			t.Errorf("%s: rebuilt because of %q", name, f.Rebuilt)
		}
		j.Close()
	}
}

// A freelist is what bbolt writes over next. One that can not be right is found before it does, by
// the look before a start and by who proves the journal.
func TestAFreelistThatCannotBeRightIsFound(t *testing.T) {
	good := journalWithLongEntries(t)
	m, err := newestMeta(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	ne := binary.NativeEndian
	for name, c := range map[string]struct {
		harm func(list []byte)
		want string
	}{
		"of another kind":      {func(list []byte) { list[8] = pageLeaf }, "wrong kind"},
		"more than there are":  {func(list []byte) { ne.PutUint16(list[10:], 60000) }, "do not fit"},
		"very many":            {func(list []byte) { manyFree(list, 1<<40) }, "do not fit"},
		"a page in use":        {func(list []byte) { oneFree(list, m.root) }, "free as well"},
		"a page of the log":    {func(list []byte) { oneFree(list, logRoot(t, good)) }, "free as well"},
		"a page that is none":  {func(list []byte) { oneFree(list, 1<<40) }, "outside the file"},
		"a meta page":          {func(list []byte) { oneFree(list, 1) }, "outside the file"},
		"longer than the file": {func(list []byte) { ne.PutUint32(list[12:], 1<<20) }, "do not fit"},
	} {
		hurt := bytes.Clone(good)
		c.harm(hurt[m.freelist*pageBytes:][:pageBytes])
		err := leadsNowhere(bytes.NewReader(hurt), int64(len(hurt)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the look before a start: %v", name, err)
		}
		s := surveyFile(bytes.NewReader(hurt), int64(len(hurt)))
		s.readLog(func(uint64, []byte) {})
		if err := firstOf(s.faults); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the proof: %v", name, err)
		}
	}
}

func oneFree(list []byte, page uint64) {
	binary.NativeEndian.PutUint16(list[10:], 1)
	binary.NativeEndian.PutUint64(list[pageHeaderBytes:], page)
}

func manyFree(list []byte, n uint64) {
	binary.NativeEndian.PutUint16(list[10:], 0xffff)
	binary.NativeEndian.PutUint64(list[pageHeaderBytes:], n)
}

// A deep tree of which any one branch is wrecked: the structure check says so, and no leaf is read.
func TestEveryWreckedBranchIsFoundByTheStructureAlone(t *testing.T) {
	db := bushy(t, 400)
	path := db.Path()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root := logRoot(t, file)
	// How deep the leaves lie is taken from the way to the first of them.
	first, err := branches(file[root*pageBytes:][:pageBytes])
	if err != nil {
		t.Fatal(err)
	}
	onTheWay := map[uint64]bool{root: true, first[0]: true}
	found := 0
	for id := 2; id < len(file)/pageBytes; id++ {
		page := file[id*pageBytes:][:pageBytes]
		if binary.NativeEndian.Uint64(page) != uint64(id) || page[8] != pageBranch {
			continue
		}
		for name, wreck := range map[string]func(b []byte){
			"zeros":            func(b []byte) { clear(b) },
			"a leaf":           func(b []byte) { b[8] = pageLeaf },
			"empty":            func(b []byte) { b[10], b[11] = 0, 0 },
			"many":             func(b []byte) { b[11] = 0xff },
			"to itself":        func(b []byte) { leadTo(b, uint64(id)) },
			"outside the file": func(b []byte) { leadTo(b, 1<<40) },
			"to a meta page":   func(b []byte) { leadTo(b, 1) },
			"twice to one":     func(b []byte) { leadTo(b, binary.NativeEndian.Uint64(b[pageHeaderBytes+24:])) },
		} {
			hurt := bytes.Clone(file)
			wreck(hurt[id*pageBytes:][:pageBytes])
			f, err := openPages(bytes.NewReader(hurt), int64(len(hurt)))
			if err != nil {
				t.Fatal(err)
			}
			var bad error
			f.markTree(root, func(_ uint64, perr error) { bad = perr })
			if bad == nil && (name != "a leaf" || !onTheWay[uint64(id)]) {
				t.Errorf("branch %d, %s: nothing was found", id, name)
			}
			found++
		}
	}
	if found < 16 {
		t.Errorf("only %d wrecks", found)
	}
}

// leadTo has the first element of a branch lead to another page.
func leadTo(branch []byte, to uint64) {
	binary.NativeEndian.PutUint64(branch[pageHeaderBytes+8:], to)
}

// A journal of which the live proof can not even read the meta pages says so, and so does a check in
// the background; both end.
func TestALiveProofOfWhatCannotBeRead(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	mustAppendHere(t, j, "a")
	all := func(Progress) error { return nil }
	mine := j.ledger.file
	other, err := os.CreateTemp(t.TempDir(), "other")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	j.ledger.file = other // meta pages of zeros
	if _, err := j.Verify(t.Context(), all); !errors.Is(err, ErrUnreadable) {
		t.Errorf("verify: %v", err)
	}
	v, err := j.SelfCheck(t.Context(), func() {})
	if err != nil || len(v.Faults) != 1 || len(j.Facts().Faults) != 1 {
		t.Errorf("check: %v, %v", v.Faults, err)
	}
	if text, err := readSuspicion(o.Path); err != nil || text == "" {
		t.Errorf("no word was left: %q, %v", text, err)
	}
	other.Close()
	if _, err := j.Verify(t.Context(), all); !errors.Is(err, os.ErrClosed) {
		t.Errorf("verify of a closed file: %v", err)
	}
	j.ledger.file = mine
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	wantMended(t, o, "the check in the background")
}

// A transaction that began before two commits finds its meta page written over, and says so: who
// proves the journal then begins another.
func TestAReaderThatIsTooOldKnowsIt(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	mustAppendHere(t, j, "a")
	err = j.ledger.view(func(tx *bolt.Tx) error {
		if _, err := pagesOf(j.ledger.file, tx); err != nil {
			return err
		}
		mustAppendHere(t, j, "b")
		mustAppendHere(t, j, "c")
		_, err := pagesOf(j.ledger.file, tx)
		return err
	})
	if !errors.Is(err, errMoved) {
		t.Error(err)
	}
}

// The root page is destroyed under a running journal, before and in the middle of a proof: the proof
// ends, and says so.
func TestALiveProofOfARootThatIsGone(t *testing.T) {
	for _, after := range []int{0, 1} {
		o := withADestroyedLeaf(t)
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		m, err := newestMeta(j.ledger.file, 1<<62)
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		harm := func() {
			if steps == after {
				if _, err := j.ledger.file.WriteAt(make([]byte, pageBytes), int64(m.root)*pageBytes); err != nil {
					t.Fatal(err)
				}
			}
			steps++
		}
		harm()
		p := proving{j: j, entries: 10, each: func(Progress) error { harm(); return nil }}
		v, err := p.prove(t.Context(), 1)
		if err != nil || len(v.Faults) == 0 {
			t.Errorf("after %d steps: %v, %v", after, v.Faults, err)
		}
		j.Close()
	}
}
