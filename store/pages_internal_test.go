package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallJournal is the used part of a bbolt file with a few commits in it.
func smallJournal(tb testing.TB) []byte {
	tb.Helper()
	o := Options{Path: filepath.Join(tb.TempDir(), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	for n := range 40 {
		d := testDraft("payload of an entry that takes some room")
		d.Key = uint64(1 + n/4)
		if _, err := j.Append(d); err != nil {
			tb.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
	file, err := os.ReadFile(o.Path)
	if err != nil {
		tb.Fatal(err)
	}
	file = bytes.TrimRight(file, "\x00")
	m, err := newestMeta(bytes.NewReader(file), 1<<40)
	if err != nil {
		tb.Fatal(err)
	}
	return append(file, make([]byte, max(0, int(m.end)*pageBytes-len(file)))...)
}

// readWhole reads a file in every way there is, and counts the good entries of its log.
func readWhole(file []byte) (entries int) {
	r := bytes.NewReader(file)
	s := surveyFile(r, int64(len(file)))
	s.readLog(nil)
	for _, p := range s.places {
		if raw, err := p.read(r); err == nil {
			if _, err := decodeAt(p.seq, raw); err == nil {
				entries++
			}
		}
	}
	s.scanEntries(func(uint64) bool { return true })
	return entries
}

// The reader of pages meets what only damage makes: nothing of it ends the process.
func FuzzPages(f *testing.F) {
	file := smallJournal(f)
	if n := readWhole(file); n != 40 {
		f.Fatalf("%d entries in the whole file", n)
	}
	f.Add([]byte{0, 16, 1}, uint16(0))
	f.Add([]byte{8, 64, 0xff, 10, 64, 0xff, 12, 64, 0x01}, uint16(9000))
	f.Fuzz(func(_ *testing.T, patches []byte, cut uint16) {
		hurt := bytes.Clone(file)
		for ; len(patches) >= 3; patches = patches[3:] {
			at := 2*pageBytes + int(binary.LittleEndian.Uint16(patches))
			if at < len(hurt) {
				hurt[at] = patches[2]
			}
		}
		readWhole(hurt[:len(hurt)-int(cut)%len(hurt)])
	})
}

// Trees that lead to themselves, and pages used twice, are found.
func TestAPageThatLeadsToItselfIsFound(t *testing.T) {
	file := smallJournal(t)
	m, err := newestMeta(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	page := file[m.root*pageBytes:]
	binary.NativeEndian.PutUint16(page[8:], pageBranch)
	binary.NativeEndian.PutUint16(page[10:], 1)
	binary.NativeEndian.PutUint64(page[pageHeaderBytes+8:], m.root)
	s := surveyFile(bytes.NewReader(file), int64(len(file)))
	if len(s.faults) == 0 {
		t.Error("nothing was found")
	}
}

// A log that leads to itself, or to a page of another tree, is found before bbolt follows it: it
// would do so for ever, and remember every step until there is no memory left. The file that showed
// it came from a disk that syncs nothing.
func TestALogThatLeadsToItselfIsFoundBeforeBboltFollowsIt(t *testing.T) {
	file := smallJournal(t)
	at := logRoot(t, file)
	for name, child := range map[string]uint64{"itself": at, "the root": 0, "nowhere": 1 << 40} {
		hurt := bytes.Clone(file)
		if name == "the root" {
			m, err := newestMeta(bytes.NewReader(file), int64(len(file)))
			if err != nil {
				t.Fatal(err)
			}
			child = m.root
		}
		page := hurt[at*pageBytes:]
		binary.NativeEndian.PutUint16(page[8:], pageBranch)
		binary.NativeEndian.PutUint16(page[10:], 1)
		binary.NativeEndian.PutUint64(page[pageHeaderBytes+8:], child)
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, hurt, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := Examine(Options{Path: path})
		if err != nil || !strings.Contains(found, "of the log") {
			t.Errorf("to %s: found %q, %v", name, found, err)
		}
	}
	if err := leadsNowhere(bytes.NewReader(file), int64(len(file))); err != nil {
		t.Errorf("a good file: %v", err)
	}
}

// Nobody looks at a page of closed payments before it is asked for: whoever does leaves word for the
// next start, and so does not meet it again. Before that was so, whoever asked for one of them ended
// the daemon, start after start, until the check in the background came that far.
func TestWhoeverReadsADestroyedLeafLeavesWord(t *testing.T) {
	o := withADestroyedLeaf(t)
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = j.Scan(1, 100); !errors.Is(err, ErrUnreadable) {
		t.Fatal("scan:", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	wantMended(t, o, "of the log")
}

// A change of the key that meets damage refuses, and what it opened and closed before that does not
// pass for a journal that was closed well: a daemon was stopped by such a page.
func TestAChangeOfTheKeyThatMeetsDamageLeavesWord(t *testing.T) {
	o := withADestroyedLeaf(t)
	o.Examine = Examine
	tool := o
	tool.Examine = nil // as reversald key rotate
	if err := RotateKey(tool); !errors.Is(err, ErrUnreadable) {
		t.Fatal(err)
	}
	wantMended(t, o, "holds another page")
	if err := RotateKey(tool); err != nil {
		t.Error(err)
	}
}

func wantMended(t *testing.T, o Options, why string) {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if f := j.Facts(); !strings.Contains(f.Rebuilt, why) {
		t.Errorf("facts: %+v", f)
	}
	for seq := uint64(1); seq <= j.Last(); seq++ {
		if _, err := j.Scan(seq, 1); err != nil {
			t.Errorf("entry %d: %v", seq, err)
		}
	}
}

// withADestroyedLeaf is a journal of closed payments, one page of which is zeros.
func withADestroyedLeaf(t *testing.T) Options {
	t.Helper()
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		d := testDraft(strings.Repeat("some payload ", 12))
		d.Key = uint64(1 + n/2*2)
		if d.Mark = MarkOpen; n%2 == 1 {
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
	root := file[logRoot(t, file)*pageBytes:][:pageBytes]
	below, err := branches(root)
	if err != nil || len(below) < 3 {
		t.Fatalf("the log has %d leaves: %v", len(below), err)
	}
	clear(file[below[1]*pageBytes:][:pageBytes])
	if err := os.WriteFile(o.Path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// logRoot is the page where the log begins.
func logRoot(t *testing.T, file []byte) (root uint64) {
	t.Helper()
	f, err := openPages(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f.walk(f.root, func(items []leafItem, _ int64) {
		for _, it := range items {
			if it.bucket && string(it.key) == string(bucketLog) {
				root = binary.NativeEndian.Uint64(it.value)
			}
		}
	}, func(page uint64, err error) { t.Fatal(page, err) })
	if root == 0 {
		t.Fatal("no log, or it is inside of another page")
	}
	return root
}

// Pages have no checksum: a torn one of the log or of the index may name any entry. What the file
// can not hold is not believed, or the next number given out would be beyond all counting.
func TestNumbersThatNothingCanHaveAreNotBelieved(t *testing.T) {
	h := &harvest{
		s: &survey{
			file:  &pageFile{size: 1 << 20},
			index: map[uint64]openRef{5: {last: 7}, 1 << 40: {last: 8}, 6: {last: 1 << 41}}, indexOK: true,
		},
		tree: []place{{seq: 7}, {seq: 1 << 50}},
	}
	h.disbelieve(7)
	if _, kept := h.s.index[5]; len(h.tree) != 1 || h.treeLast != 7 || len(h.s.index) != 1 || !kept || h.s.indexOK {
		t.Errorf("tree %v up to %d, index %v %v", h.tree, h.treeLast, h.s.index, h.s.indexOK)
	}
	h.s.index[9], h.s.indexOK = openRef{last: 900}, true // lost entries may be many
	h.disbelieve(7)
	if len(h.s.index) != 2 || !h.s.indexOK {
		t.Errorf("what was lost is not believed: %v %v", h.s.index, h.s.indexOK)
	}
}

// A key that lies across two pages, of which the second is destroyed, is another number: it has not
// been given out, whatever it says.
func TestANumberTornIntoAnotherIsNotBelieved(t *testing.T) {
	o := Options{Path: filepath.Join(quickDir(t), "journal.db"), AnyFilesystem: true}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		mustAppendHere(t, j, "asked")
	}
	key := entryAt(t, j, 20) - entryHeaderBytes - 1
	j.Close()
	f, err := os.OpenFile(o.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 40), key); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if j, err = Open(o); err != nil {
		t.Fatal(err)
	}
	if facts := j.Facts(); facts.Rebuilt == "" || facts.LostEntries != 0 || j.Last() != 20 {
		t.Errorf("the last is %d: %+v", j.Last(), facts)
	}
	j.Close()
	wantEntries(t, o, 20)
}
