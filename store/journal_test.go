package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

func TestWhatWasAppendedIsReadBackAfterReopening(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	j := mustOpen(t, o)
	d := store.Draft{
		Key: 1, Kind: 200, Mark: store.MarkOpen, Wall: time.Unix(1700000000, 123456789).UTC(),
		Mono: 42 * time.Second, Payload: []byte(`{"asked":1}`), Secret: []byte("4111111111111111"),
	}
	if got := mustAppend(t, j, d); got != 1 {
		t.Fatalf("first seq %d, want 1", got)
	}
	mustAppend(t, j, draft(1, store.MarkKeep, "approved"), draft(3, store.MarkOpen, "asked"))
	mustClose(t, j)

	j = mustOpen(t, o)
	es, err := j.Scan(0, 10)
	if err != nil || len(es) != 3 {
		t.Fatalf("%d entries, %v", len(es), err)
	}
	got := es[0]
	secret, err := j.Unseal(got)
	if err != nil || string(secret) != "4111111111111111" {
		t.Fatalf("unsealed %q, %v", secret, err)
	}
	if bytes.Contains(got.Sealed, []byte("41111111")) {
		t.Error("the secret is not sealed")
	}
	got.Sealed, got.Chain = nil, [16]byte{}
	want := store.Entry{
		Seq: 1, Key: 1, Kind: 200, Mark: store.MarkOpen, Wall: d.Wall, Mono: d.Mono,
		Boot: o.Boot, Payload: d.Payload,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	if es[1].Prev != 1 || es[2].Prev != 0 {
		t.Errorf("prev %d and %d, want 1 and 0", es[1].Prev, es[2].Prev)
	}
	wantSound(t, j)
}

func TestMarksOpenAndCloseKeys(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	steps := []struct {
		key  uint64
		mark store.Mark
		prev uint64 // of the entry this writes
		open []uint64
	}{
		{0, store.MarkKeep, 0, nil},
		{2, store.MarkOpen, 0, []uint64{2}},
		{2, store.MarkKeep, 2, []uint64{2}},
		{1, store.MarkKeep, 0, []uint64{2}}, // of a key that is not open: it stays so
		{5, store.MarkOpen, 0, []uint64{2, 5}},
		{2, store.MarkOpen, 3, []uint64{2, 5}}, // open already
		{2, store.MarkClose, 6, []uint64{5}},
		{2, store.MarkKeep, 0, []uint64{5}},
		{2, store.MarkOpen, 0, []uint64{2, 5}}, // a new story of an old key
		{1, store.MarkClose, 0, []uint64{2, 5}},
	}
	for i, s := range steps {
		seq := mustAppend(t, j, draft(s.key, s.mark, "x"))
		if seq != uint64(i+1) {
			t.Fatalf("step %d got seq %d", i, seq)
		}
		es, err := j.Scan(seq, 1)
		if err != nil || es[0].Prev != s.prev {
			t.Errorf("step %d: prev %d, %v, want %d", i, es[0].Prev, err, s.prev)
		}
		if diff := cmp.Diff(s.open, j.OpenKeys()); diff != "" {
			t.Errorf("step %d: open keys (-want +got):\n%s", i, diff)
		}
	}
	if _, err := j.Story(1); !errors.Is(err, store.ErrNotOpen) {
		t.Errorf("story of a closed key: %v", err)
	}
	story, err := j.Story(2)
	if err != nil || len(story) != 1 || story[0].Seq != 9 {
		t.Errorf("story of the reopened key: %v, %v", story, err)
	}
	var seqs []uint64
	history, err := j.History(2, 100)
	for _, e := range history {
		seqs = append(seqs, e.Seq)
	}
	if diff := cmp.Diff([]uint64{2, 3, 6, 7, 8, 9}, seqs); diff != "" || err != nil {
		t.Errorf("history (-want +got): %v\n%s", err, diff)
	}
}

func TestDraftsOutsideTheLimitsChangeNothing(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	ok := draft(1, store.MarkKeep, "b")
	for name, d := range map[string]store.Draft{
		"payload":      {Key: 1, Kind: 1, Mark: store.MarkKeep, Payload: make([]byte, store.PayloadBytesMax+1)},
		"secret":       {Key: 1, Kind: 1, Mark: store.MarkKeep, Secret: make([]byte, store.SecretBytesMax+1)},
		"kind 0":       {Key: 1, Mark: store.MarkKeep},
		"no mark":      {Key: 1, Kind: 1},
		"unknown mark": {Key: 1, Kind: 1, Mark: 9},
		"key ahead":    {Key: 9, Kind: 1, Mark: store.MarkOpen},
		"key 0 opened": {Kind: 1, Mark: store.MarkOpen},
		"key 0 closed": {Kind: 1, Mark: store.MarkClose},
	} {
		if _, err := j.Append(ok, d); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: append: %v", name, err)
		}
		if _, err := j.Note(d); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: note: %v", name, err)
		}
	}
	big := make([]store.Draft, 20)
	for i := range big {
		big[i] = store.Draft{Kind: 1, Mark: store.MarkKeep, Payload: make([]byte, 3000)}
	}
	if _, err := j.Append(big...); !errors.Is(err, store.ErrRefused) {
		t.Errorf("batch over the limit: %v", err)
	}
	if got := mustAppend(t, j, ok); got != 2 || j.Next() != 3 {
		t.Errorf("after refusals the next seq is %d, want 2", got)
	}
	wantSound(t, j)
}

func TestTheLargestDraftFits(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	d := store.Draft{
		Key: 1, Kind: 255, Mark: store.MarkOpen,
		Payload: bytes.Repeat([]byte{'p'}, store.PayloadBytesMax),
		Secret:  bytes.Repeat([]byte{'s'}, store.SecretBytesMax),
	}
	for range 300 { // more than once around the ring
		mustAppend(t, j, d)
	}
	n := store.BatchBytesMax / (store.EntryOverheadBytes + store.PayloadBytesMax + store.SecretBytesMax)
	ds := make([]store.Draft, n)
	for i := range ds {
		ds[i] = d
	}
	mustAppend(t, j, ds...)
	mustClose(t, j)
	j = mustOpen(t, o)
	if got := j.Last(); got != uint64(300+n) {
		t.Errorf("last %d, want %d", got, 300+n)
	}
	wantSound(t, j)
}

func TestATimeThatCannotBeKeptIsNotKnown(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	for _, wall := range []time.Time{{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		seq := mustAppend(t, j, store.Draft{Kind: 1, Mark: store.MarkKeep, Wall: wall})
		es, err := j.Scan(seq, 1)
		if err != nil || !es[0].Wall.IsZero() {
			t.Errorf("wall %v, %v", es[0].Wall, err)
		}
	}
}

// A card number must be in no file, in no form that grep would find.
func TestNoFileHoldsACardNumber(t *testing.T) {
	const pan = "4111111111111111"
	dir := t.TempDir()
	j := mustOpen(t, options(dir))
	for i := range uint64(300) {
		d := draft(i+1, store.MarkOpen, "asked")
		d.Secret = []byte(pan)
		mustAppend(t, j, d)
	}
	noted := draft(301, store.MarkOpen, "noted")
	noted.Secret = []byte(pan)
	if _, err := j.Note(noted); err != nil {
		t.Fatal(err)
	}
	packed := []byte{0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11}
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(pan)) || bytes.Contains(b, packed) {
			t.Errorf("%s holds the card number", f.Name())
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files, want journal, ring, key and mark", len(files))
	}
}

// Two entries with the same secret must not show it, and a sealed value opens in its place only.
func TestASealedSecretOpensOnlyWhereItWasSealed(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	for range 2 {
		d := draft(1, store.MarkOpen, "asked")
		d.Secret = []byte("6222021234567890128")
		mustAppend(t, j, d)
	}
	es, _ := j.Scan(1, 2)
	if bytes.Equal(es[0].Sealed, es[1].Sealed) {
		t.Error("equal secrets look equal")
	}
	moved := es[0]
	moved.Sealed = es[1].Sealed
	if _, err := j.Unseal(moved); !errors.Is(err, store.ErrNoSeal) {
		t.Errorf("moved secret: %v", err)
	}
	flipped := es[0]
	flipped.Sealed = bytes.Clone(flipped.Sealed)
	flipped.Sealed[15] ^= 1
	if _, err := j.Unseal(flipped); !errors.Is(err, store.ErrNoSeal) {
		t.Errorf("altered secret: %v", err)
	}
	if got, err := j.Unseal(store.Entry{}); got != nil || err != nil {
		t.Errorf("entry without secret: %q, %v", got, err)
	}
}

func TestFollowersSeeEveryCommitWhileItIsWritten(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	const n = 200
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for next := uint64(1); next <= n; {
				changed := j.Changed()
				es, err := j.Scan(next, 7)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range es {
					if e.Seq != next {
						t.Errorf("got entry %d, want %d", e.Seq, next)
						return
					}
					next++
				}
				j.Facts()
				j.OpenKeys()
				if len(es) == 0 {
					<-changed
				}
			}
		}()
	}
	for i := range uint64(n) {
		mustAppend(t, j, draft(i/2+1, store.MarkOpen, "x"))
	}
	wg.Wait()
}

func TestAClosedJournalSaysSo(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	mustAppend(t, j, draft(1, store.MarkOpen, "x"))
	mustClose(t, j)
	mustClose(t, j)
	_, aerr := j.Append(draft(1, store.MarkKeep, "x"))
	_, nerr := j.Note(draft(1, store.MarkKeep, "x"))
	_, serr := j.Scan(1, 1)
	_, terr := j.Story(1)
	_, cerr := j.Verify(t.Context(), func(store.Progress) error { return nil })
	for _, err := range []error{aerr, nerr, serr, terr, cerr} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

// A full journal takes no new key and still lets open ones be finished.
func TestAFullJournalKeepsRoomForOpenKeys(t *testing.T) {
	o := options(t.TempDir())
	o.SizeMax = 2 << 20
	j := mustOpen(t, o)
	payload := bytes.Repeat([]byte{'x'}, 1500)
	open := store.Draft{Kind: 1, Mark: store.MarkOpen, Payload: payload}
	var err error
	for err == nil {
		open.Key = j.Next()
		_, err = j.Append(open)
	}
	wantErr(t, err, store.ErrFull)
	keys := j.OpenKeys()
	for _, k := range keys[:min(len(keys), 250)] {
		mustAppend(t, j, store.Draft{Key: k, Kind: 2, Mark: store.MarkClose, Payload: payload})
	}
	if info, err := os.Stat(o.Path); err != nil || info.Size() > o.SizeMax {
		t.Errorf("file of %d bytes, %v", info.Size(), err)
	}
	mustClose(t, j)
	wantSound(t, mustOpen(t, o))
}

// What was closed may be opened again in a full journal, and before that takes the last of its room
// the journal says so.
func TestAFullJournalOpensClosedKeysAgain(t *testing.T) {
	o := options(t.TempDir())
	o.SizeMax = 2 << 20
	j := mustOpen(t, o)
	payload := bytes.Repeat([]byte{'x'}, 1500)
	var err error
	for err == nil {
		key := j.Next()
		_, err = j.Append(store.Draft{Key: key, Kind: 1, Mark: store.MarkOpen, Payload: payload},
			store.Draft{Key: key, Kind: 2, Mark: store.MarkClose, Payload: payload})
	}
	wantErr(t, err, store.ErrFull)
	if err := j.RoomToReopen(); err != nil {
		t.Fatal(err)
	}
	again := store.Draft{Kind: 3, Mark: store.MarkOpen, Payload: payload}
	_, err = j.Append(store.Draft{Key: 1, Kind: 3, Mark: store.MarkOpen, Payload: payload})
	wantErr(t, err, store.ErrFull)
	again.Again = true
	for again.Key = 1; j.RoomToReopen() == nil; again.Key += 2 {
		mustAppend(t, j, again)
	}
	wantErr(t, j.RoomToReopen(), store.ErrFull)
	reopened := j.OpenKeys()
	if len(reopened) < 50 {
		t.Errorf("only %d keys were opened again", len(reopened))
	}
	for _, key := range reopened {
		mustAppend(t, j, store.Draft{Key: key, Kind: 2, Mark: store.MarkClose})
	}
	mustClose(t, j)
	if err := j.RoomToReopen(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v", err)
	}
	wantSound(t, mustOpen(t, o))
}
