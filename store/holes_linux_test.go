package store_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"reversald/store"
)

// Rule: every block of a journal's file has been written, however the file was made: a full disk can
// not take back the room that open payments are finished in. A hole would need a new block.
func TestAJournalHasNoHoles(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	whole(t, o.Path, "made new")
	for key := uint64(1); key <= 3000; key++ {
		mustAppend(t, j, draft(2*key-1, store.MarkOpen, strings.Repeat("x", 300)),
			draft(2*key-1, store.MarkClose, "done"))
	}
	whole(t, o.Path, "sold with")
	mustClose(t, j)
	if _, _, err := store.Compact(o); err != nil {
		t.Fatal(err)
	}
	whole(t, o.Path, "compacted")
	if _, err := store.Salvage(o, false); err != nil {
		t.Fatal(err)
	}
	whole(t, o.Path, "salvaged")
}

func whole(t *testing.T, path, how string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	hole, err := unix.Seek(int(f.Fd()), 0, unix.SEEK_HOLE)
	if err != nil {
		t.Skip("this file system can not tell holes:", err)
	}
	if hole != info.Size() {
		t.Errorf("%s: a hole at %d of %d", how, hole, info.Size())
	}
}
