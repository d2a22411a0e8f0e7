package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// quickDir is a folder in memory, where there is one: many journals are made, and none must last.
func quickDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// bushy is a bbolt file with a log of a few entries on many pages, so that even a short one is deep.
func bushy(tb testing.TB, entries int) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(quickDir(tb), "journal.db"), 0o600, &bolt.Options{
		PageSize: pageBytes, NoSync: true, NoGrowSync: true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	err = db.Update(func(tx *bolt.Tx) error {
		log, err := tx.CreateBucket(bucketLog)
		for seq := 1; err == nil && seq <= entries; seq++ {
			err = putBushy(log, uint64(seq), 300)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

func putBushy(log *bolt.Bucket, seq uint64, length int) error {
	log.FillPercent = 0.1
	return log.Put(logKey(seq), bytes.Repeat(logKey(seq), length/8))
}

func openForReading(tb testing.TB, path string) *os.File {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

// Whatever was added and taken out, the tree is read as bbolt reads it, and nothing in it is
// suspected: not next to an entry either, and not by the check in the background.
func TestTheTreeIsReadAsBboltReadsIt(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	db := bushy(t, 400)
	f := openForReading(t, db.Path())
	last := uint64(400)
	for range 60 {
		err := db.Update(func(tx *bolt.Tx) error {
			log := tx.Bucket(bucketLog)
			for range random.IntN(30) {
				last++
				if err := putBushy(log, last, 8+random.IntN(9000)*random.IntN(2)); err != nil {
					return err
				}
			}
			from := random.Uint64N(last)
			for seq := from; seq < from+random.Uint64N(90); seq++ {
				if err := log.Delete(logKey(seq)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantReadAlike(t, db, f, last)
	}
}

func wantReadAlike(t *testing.T, db *bolt.DB, f io.ReaderAt, last uint64) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) error {
		l := logOf(tx, f)
		for seq := range last + 2 {
			if want := l.tree.Get(logKey(seq)); !bytes.Equal(l.get(seq), want) {
				t.Errorf("entry %d: %.10x, want %.10x", seq, l.get(seq), want)
			}
		}
		for _, from := range []uint64{0, last / 3, last, last + 5} {
			c, b := l.cursor(), l.tree.Cursor()
			k, v := c.seek(from)
			for bk, bv := b.Seek(logKey(from)); bk != nil || k != nil; bk, bv = b.Next() {
				if !bytes.Equal(k, bk) || !bytes.Equal(v, bv) {
					t.Fatalf("from %d: %x, want %x", from, k, bk)
				}
				k, v = c.next()
			}
		}
		k, _ := l.last()
		if bk, _ := l.tree.Cursor().Last(); !bytes.Equal(k, bk) {
			t.Errorf("last: %x, want %x", k, bk)
		}
		all := make([]uint64, last)
		for i := range all {
			all[i] = uint64(i)
		}
		return errors.Join(l.lookBeside(all), l.fault())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzTree: where the tree is read without a fault, bbolt reads the same; so it can be let go there.
func FuzzTree(f *testing.F) {
	const entries = 120
	db := bushy(f, entries)
	f.Add([]byte{0, 16, 1})
	f.Add([]byte{8, 64, 1, 10, 64, 0xff, 12, 64, 0x01})
	path := db.Path()
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	pages, err := openPages(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		f.Fatal(err)
	}
	spared := []uint64{0, 1, pages.root, pages.free} // what leads to the tree
	f.Fuzz(func(t *testing.T, patches []byte) {
		hurt := bytes.Clone(file)
		for ; len(patches) >= 4; patches = patches[4:] {
			page := uint64(patches[0]) % pages.end
			if !slices.Contains(spared, page) { // half of them to the heads
				at := uint64(binary.LittleEndian.Uint16(patches[1:])) % pageBytes >> (patches[1] % 8)
				hurt[page*pageBytes+at] = patches[3]
			}
		}
		path := filepath.Join(quickDir(t), "journal.db")
		if err := os.WriteFile(path, hurt, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PageSize: pageBytes})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		err = db.View(func(tx *bolt.Tx) error {
			for seq := range uint64(entries + 2) {
				l := logOf(tx, bytes.NewReader(hurt))
				if got := l.get(seq); l.fault() == nil && !bytes.Equal(got, l.tree.Get(logKey(seq))) {
					t.Errorf("entry %d differs", seq)
				}
			}
			l := logOf(tx, bytes.NewReader(hurt))
			c, n := l.cursor(), 0
			for k, _ := c.seek(0); k != nil; k, _ = c.next() {
				n++
			}
			if n > entries && l.fault() == nil {
				t.Errorf("%d entries of %d", n, entries)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// wrecks are what a disk that did not do what it said has been seen to leave of a page.
var wrecks = map[string]func(page []byte, id uint64){
	"zeros":          func(page []byte, _ uint64) { clear(page) },
	"another page":   func(page []byte, id uint64) { binary.NativeEndian.PutUint64(page, id+1) },
	"leads to self":  func(page []byte, id uint64) { makeBranch(page, id) },
	"leads outside":  func(page []byte, _ uint64) { makeBranch(page, 1<<40) },
	"leads upwards":  func(page []byte, _ uint64) { makeBranch(page, 4) },
	"of what kind":   func(page []byte, _ uint64) { page[8] = 0x33 },
	"much overflow":  func(page []byte, _ uint64) { binary.NativeEndian.PutUint32(page[12:], 1<<31) },
	"many elements":  func(page []byte, _ uint64) { binary.NativeEndian.PutUint16(page[10:], 60000) },
	"keys elsewhere": func(page []byte, _ uint64) { firstKey(page)[0] = 0x7f },
	"odd keys":       func(page []byte, _ uint64) { page[pageHeaderBytes+8] = 5 },
	"empty":          func(page []byte, _ uint64) { binary.NativeEndian.PutUint16(page[10:], 0) },
}

// makeBranch makes a leaf lead to another page, under its first key.
func makeBranch(page []byte, to uint64) {
	key := slices.Clone(firstKey(page))
	clear(page[8:])
	ne := binary.NativeEndian
	ne.PutUint16(page[8:], pageBranch)
	ne.PutUint16(page[10:], 1)
	ne.PutUint32(page[pageHeaderBytes:], pageElementBytes)
	ne.PutUint32(page[pageHeaderBytes+4:], 8)
	ne.PutUint64(page[pageHeaderBytes+8:], to)
	copy(page[pageHeaderBytes+pageElementBytes:], key)
}

func firstKey(leaf []byte) []byte {
	pos := pageHeaderBytes + binary.NativeEndian.Uint32(leaf[pageHeaderBytes+4:])
	return leaf[pos : pos+8]
}

// wreckedInTheMiddle is a journal that was killed, with a payment open that is older than a leaf
// which something happened to.
func wreckedInTheMiddle(t *testing.T, leaf int, wreck func([]byte, uint64)) (o Options, page uint64) {
	t.Helper()
	o = Options{
		Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true, Examine: Examine,
	}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Unix(1_700_000_000, 0)
	for n := range uint64(200) {
		d := testDraft(strings.Repeat("some payload ", 12))
		d.Key, d.Wall = 1+n/2*2, begin.Add(time.Duration(n)*time.Second)
		if n%2 == 1 && n != 1 { // the first stays open
			d.Mark = MarkClose
		}
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
	below, err := branches(file[logRoot(t, file)*pageBytes:][:pageBytes])
	if err != nil || len(below) < leaf+3 {
		t.Fatalf("the log has %d leaves: %v", len(below), err)
	}
	page = below[leaf]
	wreck(file[page*pageBytes:][:pageBytes], page)
	if err := os.WriteFile(o.Path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if closedWell(o.Path) {
		t.Fatal("the change does not show")
	}
	return o, page
}

// A start does not look at every leaf. One that is wrecked stops no payment, is met without harm by
// whoever comes to it, and leads to a copy of everything else.
func TestAWreckInTheMiddleOfTheLogIsMetWithoutHarm(t *testing.T) {
	for name, wreck := range wrecks {
		t.Run(name, func(t *testing.T) {
			o, page := wreckedInTheMiddle(t, 3, wreck)
			j, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			if f := j.Facts(); f.Rebuilt != "" || f.OpenKeys != 1 {
				t.Fatalf("facts: %+v", f)
			}
			_, err = j.Scan(1, 1000)
			wants := fmt.Sprintf("page %d ", page)
			if name == "leads outside" || name == "leads upwards" {
				wants = "page "
			}
			if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), wants) {
				t.Fatalf("page %d: scan: %v", page, err)
			}
			for range 40 { // through the tail, and into the tree
				mustAppendHere(t, j, strings.Repeat("goes on", 20))
			}
			if es, err := j.Story(1); err != nil || len(es) < 2 {
				t.Errorf("story of what is open: %d entries, %v", len(es), err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			wantCopied(t, o, 240)
		})
	}
}

// The same with the check in the background as the only one that looks.
func TestTheCheckInTheBackgroundFindsAWreckInTheMiddle(t *testing.T) {
	for name, wreck := range wrecks {
		t.Run(name, func(t *testing.T) {
			o, page := wreckedInTheMiddle(t, 3, wreck)
			j, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			v, err := j.SelfCheck(t.Context(), func() {})
			if err != nil {
				t.Fatal(err)
			}
			const first = 46 // entry of that page
			named := func(f Fault) bool { return f.Page == page || f.Seq == first }
			if !slices.ContainsFunc(v.Faults, named) {
				t.Errorf("neither page %d nor entry %d is named: %v", page, first, v.Faults)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			wantCopied(t, o, 200)
		})
	}
}

// wantCopied wants the next start to copy all that is good, up to last, and the old file to be kept.
func wantCopied(t *testing.T, o Options, last uint64) {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	f := j.Facts()
	if f.Rebuilt == "" || f.Quarantine == "" || f.LostEntries > 20 || j.Last() != last {
		t.Errorf("last %d, facts: %+v", j.Last(), f)
	}
	if es, err := j.Story(1); err != nil || es[0].Seq != 1 {
		t.Errorf("story of what is open: %v, %v", es, err)
	}
	v, err := j.Verify(t.Context(), func(Progress) error { return nil })
	if err != nil || len(v.Faults) > 0 {
		t.Errorf("the copy: %v, %v", v.Faults, err)
	}
}

// What is forgotten lies next to a wreck that bbolt would make one page with: nothing is forgotten,
// nothing is changed, and payments go on.
func TestNothingIsForgottenNextToAWreck(t *testing.T) {
	for name, wreck := range wrecks {
		t.Run(name, func(t *testing.T) {
			o, _ := wreckedInTheMiddle(t, 1, wreck)
			j, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			before := j.Facts()
			n, err := j.Forget(time.Unix(1_700_001_000, 0), Retention{Payments: 99})
			if !errors.Is(err, ErrUnreadable) || n != 0 {
				t.Errorf("%d forgotten, %v", n, err)
			}
			if f := j.Facts(); f.Payments != before.Payments || f.First != before.First {
				t.Errorf("facts: %+v", f)
			}
			mustAppendHere(t, j, "goes on")
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			wantCopied(t, o, 201)
		})
	}
}

// A wreck on the way to what is open, or where the next entry goes, is found by the start.
func TestAWreckOnTheWayOfAStartIsFoundByIt(t *testing.T) {
	for name, wreck := range wrecks {
		t.Run(name, func(t *testing.T) {
			o, page := wreckedInTheMiddle(t, 0, wreck)
			found, err := Examine(o)
			if err != nil || !strings.Contains(found, "page ") {
				t.Errorf("page %d: found %q, %v", page, found, err)
			}
			wantCopied(t, o, 200)
			o, _ = wreckedInTheMiddle(t, 0, wreck)
			o.Examine = nil // nobody looks before: the start itself does
			wantCopied(t, o, 200)
		})
	}
}

// The index of what is open has pages of its own when much is. Any of them wrecked, or a bucket that
// lies inside of the root page, is found by the look before a start; what is open is still known.
func TestAWreckedIndexIsFoundByTheStart(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	const open = 300
	for n := range uint64(open) {
		d := testDraft("open")
		d.Key = 1 + n
		if _, err := j.Append(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := openPages(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	index, tail := uint64(0), int64(0)
	f.walk(f.root, func(items []leafItem, at int64) {
		for _, it := range items {
			switch string(it.key) {
			case "open":
				index = binary.NativeEndian.Uint64(it.value)
			case "tail0":
				tail = at + it.at + bucketValueBytes
			}
		}
	}, func(page uint64, err error) { t.Fatal(page, err) })
	if index == 0 || tail == 0 {
		t.Fatalf("index at page %d, tail at %d", index, tail)
	}
	for name, hurt := range map[string][]byte{
		"zeros":         patched(good, int64(index)*pageBytes, make([]byte, pageBytes)),
		"another page":  patched(good, int64(index)*pageBytes, []byte{byte(index + 1)}),
		"of what kind":  patched(good, int64(index)*pageBytes+8, []byte{0x33}),
		"tail of what":  patched(good, tail+8, []byte{pageBranch}),
		"tail too long": patched(good, tail+10, []byte{0xff, 0xff}),
	} {
		if err := os.WriteFile(o.Path, hurt, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := Examine(o)
		if err != nil || found == "" {
			t.Errorf("%s: found %q, %v", name, found, err)
		}
		o.Examine = Examine
		j, err := Open(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(j.OpenKeys()); n != open || j.Facts().Rebuilt == "" {
			t.Errorf("%s: %d are open, rebuilt %q", name, n, j.Facts().Rebuilt)
		}
		j.Close()
	}
}

func patched(file []byte, at int64, with []byte) []byte {
	hurt := slices.Clone(file)
	copy(hurt[at:], with)
	return hurt
}
