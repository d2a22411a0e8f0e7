package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

const (
	journalName = "journal.db"
	ringName    = "journal.db.ring"
	keyName     = "journal.db.key"
)

// options opens a journal in dir, on whatever file system that is.
func options(dir string) store.Options {
	return store.Options{
		Path: filepath.Join(dir, journalName), AnyFilesystem: true,
		Boot: [16]byte{0xb0, 0x07}, LockTimeout: 100 * time.Millisecond,
	}
}

func mustOpen(tb testing.TB, o store.Options) *store.Journal {
	tb.Helper()
	j, err := store.Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { j.Close() })
	return j
}

func mustAppend(tb testing.TB, j *store.Journal, ds ...store.Draft) uint64 {
	tb.Helper()
	first, err := j.Append(ds...)
	if err != nil {
		tb.Fatal(err)
	}
	return first
}

func mustClose(tb testing.TB, j *store.Journal) {
	tb.Helper()
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
}

func draft(key uint64, mark store.Mark, text string) store.Draft {
	return store.Draft{Key: key, Kind: 7, Mark: mark, Payload: []byte(text)}
}

// wantErr checks the sentinel and that a person gets a hint.
func wantErr(tb testing.TB, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Fatalf("got error %v, want %v", got, want)
	}
	if store.Hint(got) == "" && !errors.Is(want, store.ErrRefused) {
		tb.Errorf("no hint for %v", got)
	}
}

// copyFiles takes what is in dir as it stands: what a KILL at this moment would leave. The
// journal may be open.
func copyFiles(tb testing.TB, dir string) string {
	tb.Helper()
	to := tb.TempDir()
	files, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		copyFile(tb, filepath.Join(dir, f.Name()), filepath.Join(to, f.Name()))
	}
	return to
}

func copyFile(tb testing.TB, from, to string) {
	tb.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// texts is every committed entry as "seq key payload".
func texts(tb testing.TB, j *store.Journal) []string {
	tb.Helper()
	var out []string
	for from := uint64(1); from <= j.Last(); {
		es, err := j.Scan(from, 100)
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range es {
			out = append(out, fmt.Sprintf("%d %d %s", e.Seq, e.Key, e.Payload))
		}
		from = es[len(es)-1].Seq + 1
	}
	return out
}

func wantTexts(tb testing.TB, j *store.Journal, want ...string) {
	tb.Helper()
	if diff := cmp.Diff(want, texts(tb, j)); diff != "" {
		tb.Fatalf("entries (-want +got):\n%s", diff)
	}
}

// wantSound checks chain and CRC of everything.
func wantSound(tb testing.TB, j *store.Journal) {
	tb.Helper()
	if fs := faults(tb, j); len(fs) > 0 {
		tb.Fatalf("faults: %v", fs)
	}
}

// verdict is the live proof of everything.
func verdict(tb testing.TB, j *store.Journal) store.Verdict {
	tb.Helper()
	v, err := j.Verify(tb.Context(), func(store.Progress) error { return nil })
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func faults(tb testing.TB, j *store.Journal) []store.Fault {
	tb.Helper()
	return verdict(tb, j).Faults
}
