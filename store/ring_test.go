package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// ringSlotBytes is the block of the ring, as FORMAT.md has it.
const ringSlotBytes = 4096

func TestANoteSurvivesAKillAndIsCommittedByTheNextAppend(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, options(dir))
	mustAppend(t, j, draft(1, store.MarkOpen, "asked"))
	seq, err := j.Note(draft(1, store.MarkKeep, "noted"))
	if err != nil || seq != 2 || j.Noted() != 1 || j.Last() != 1 {
		t.Fatalf("seq %d, %v, noted %d, last %d", seq, err, j.Noted(), j.Last())
	}
	wantTexts(t, j, "1 1 asked")

	killed := mustOpen(t, options(copyFiles(t, dir)))
	wantTexts(t, killed, "1 1 asked", "2 1 noted")
	if got := killed.Facts().Recovered; got != 1 {
		t.Errorf("recovered %d", got)
	}
	wantSound(t, killed)

	mustAppend(t, j, draft(1, store.MarkClose, "confirmed"))
	wantTexts(t, j, "1 1 asked", "2 1 noted", "3 1 confirmed")
	if j.Noted() != 0 {
		t.Errorf("noted %d after a commit", j.Noted())
	}
	wantTexts(t, mustOpen(t, options(copyFiles(t, dir))), "1 1 asked", "2 1 noted", "3 1 confirmed")
}

func TestManyNotesCommitByThemselves(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, options(dir))
	var want []string
	for i := range uint64(200) {
		text := fmt.Sprintf("note %d %s", i, strings.Repeat("x", 500))
		if _, err := j.Note(draft(i/3+1, store.MarkOpen, text)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%d %d %s", i+1, i/3+1, text))
	}
	if j.Last() == 0 {
		t.Error("nothing was committed")
	}
	killed := mustOpen(t, options(copyFiles(t, dir)))
	wantTexts(t, killed, want...)
	wantSound(t, killed)
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, j, want...)
}

// bbolt's newest commits are gone, as when its newest meta page was: the ring has them.
func TestTheRingGivesBackWhatBboltForgot(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"), draft(2, store.MarkOpen, "b"))
	older := copyFiles(t, dir)
	mustAppend(t, j, draft(1, store.MarkKeep, "c"))
	mustAppend(t, j, draft(2, store.MarkClose, "d"), draft(5, store.MarkOpen, "e"))
	mustClose(t, j)

	copyFile(t, filepath.Join(older, journalName), o.Path)
	j = mustOpen(t, o)
	wantTexts(t, j, "1 1 a", "2 2 b", "3 1 c", "4 2 d", "5 5 e")
	if diff := cmp.Diff([]uint64{1, 5}, j.OpenKeys()); diff != "" {
		t.Errorf("open keys:\n%s", diff)
	}
	if got := j.Facts().Recovered; got != 3 {
		t.Errorf("recovered %d, want 3", got)
	}
	wantSound(t, j)
}

// The same, but so old that the ring no longer has everything in between.
func TestAJournalOlderThanItsRingIsRefused(t *testing.T) {
	for _, marked := range []bool{true, false} { // without its mark the ring is the only witness
		dir := t.TempDir()
		o := options(dir)
		j := mustOpen(t, o)
		mustAppend(t, j, draft(1, store.MarkOpen, "a"))
		older := copyFiles(t, dir)
		for range 200 {
			mustAppend(t, j, draft(2, store.MarkClose, "x"))
		}
		mustClose(t, j)
		copyFile(t, filepath.Join(older, journalName), o.Path)
		if !marked {
			os.Remove(o.Path + ".closed")
		}
		_, err := store.Open(o)
		wantErr(t, err, store.ErrLost)
	}
}

// An old copy was put back and written to with a ring of its own; then the first ring returns.
func TestTwoHistoriesAreRefused(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	other := copyFiles(t, dir)
	mustAppend(t, j, draft(1, store.MarkKeep, "this way"))
	mustAppend(t, j, draft(1, store.MarkKeep, "x"))
	mustClose(t, j)

	k := mustOpen(t, options(other))
	for range 3 {
		mustAppend(t, k, draft(1, store.MarkKeep, "that way"))
	}
	mustClose(t, k)
	copyFile(t, filepath.Join(other, journalName), o.Path)
	_, err := store.Open(o)
	wantErr(t, err, store.ErrLost)
}

// However long a key stays open, the ring alone can still tell its story.
func TestAnOldOpenKeySurvivesInTheRingWhenBboltIsDestroyed(t *testing.T) {
	for _, reopenEvery := range []int{0, 37} {
		t.Run(fmt.Sprintf("reopened every %d", reopenEvery), func(t *testing.T) {
			o := options(t.TempDir())
			j := mustOpen(t, o)
			mustAppend(t, j, draft(1, store.MarkOpen, "asked 1"), draft(1, store.MarkKeep, "approved 1"))
			var old []uint64
			for i := range 1000 {
				if reopenEvery > 0 && i%reopenEvery == 0 {
					mustClose(t, j)
					j = mustOpen(t, o)
				}
				k := j.Next()
				mustAppend(t, j, typical(k, store.MarkOpen))
				if i%50 == 0 {
					old = append(old, k)
					continue
				}
				mustAppend(t, j, typical(k, store.MarkClose))
			}
			if f := j.Facts(); f.OpenKeys != len(old)+1 || f.NotCovered != 0 {
				t.Fatalf("facts: %+v", f)
			}
			mustClose(t, j)
			if err := os.Remove(o.Path); err != nil {
				t.Fatal(err)
			}

			ring, err := store.ReadRing(ringOf(o))
			if err != nil || ring.Damaged != 0 {
				t.Fatal(ring.Damaged, err)
			}
			stories := make(map[uint64]int)
			for _, e := range ring.Entries {
				stories[e.Key]++
			}
			if stories[1] != 2 {
				t.Errorf("the first key has %d entries in the ring, want 2", stories[1])
			}
			for _, k := range old {
				if stories[k] != 1 {
					t.Errorf("key %d has %d entries in the ring", k, stories[k])
				}
			}
			newest := ring.Entries[len(ring.Entries)-1].Seq
			if newest < 1900 || ring.Acked < newest-1 {
				t.Errorf("newest %d, acked %d", newest, ring.Acked)
			}
		})
	}
}

// More open keys than the ring can hold is a fact to be shown, and nothing else suffers.
func TestTooManyOpenKeysForTheRingAreCounted(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for range 1000 {
		mustAppend(t, j, typical(j.Next(), store.MarkOpen))
	}
	before := j.Facts()
	if before.NotCovered == 0 || before.NotCovered > 700 {
		t.Errorf("%d of %d open keys not covered", before.NotCovered, before.OpenKeys)
	}
	mustClose(t, j)
	j = mustOpen(t, o)
	if got := j.Facts(); got.OpenKeys != 1000 || got.NotCovered > before.NotCovered {
		t.Errorf("after reopening %d of %d not covered", got.NotCovered, got.OpenKeys)
	}
	for _, k := range j.OpenKeys() {
		if s, err := j.Story(k); err != nil || len(s) != 1 {
			t.Fatalf("story of %d: %v, %v", k, s, err)
		}
		mustAppend(t, j, draft(k, store.MarkClose, "done"))
	}
	if got := j.Facts().NotCovered; got != 0 {
		t.Errorf("%d keys not covered, though none is open", got)
	}
	wantSound(t, j)
}

func TestADamagedSlotIsIgnoredAndItsEntriesWrittenAgain(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for range 5 {
		mustAppend(t, j, draft(j.Next(), store.MarkOpen, "asked"))
	}
	mustClose(t, j)
	overwrite(t, ringOf(o), 3*ringSlotBytes+100, []byte{0xff})
	overwrite(t, ringOf(o), 5*ringSlotBytes, bytes.Repeat([]byte{0xff}, 512))
	j = mustOpen(t, o)
	if f := j.Facts(); f.RingDamaged != 2 || f.Refilled != 2 || f.NotCovered != 0 {
		t.Errorf("facts: %+v", f)
	}
	ring, err := store.ReadRing(ringOf(o))
	if err != nil || len(ring.Entries) != 5 {
		t.Errorf("ring: %d entries, %v", len(ring.Entries), err)
	}
}

// Flash that has lost something loses more. What the ring lost is in it again after one start, closed
// payments too, and then the log may go.
func TestDamageToTheRingAndThenToTheLogLosesNothing(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for range 40 {
		mustAppend(t, j, draft(j.Next(), store.MarkOpen, "asked"))
		mustAppend(t, j, draft(j.Last(), store.MarkClose, "approved"))
	}
	want := texts(t, j)
	mustClose(t, j)
	overwrite(t, ringOf(o), 8*ringSlotBytes, bytes.Repeat([]byte{0xff}, 64<<10))
	j = mustOpen(t, o)
	if f := j.Facts(); f.RingDamaged != 16 || f.Refilled == 0 {
		t.Fatalf("facts: %+v", f)
	}
	mustAppend(t, j, draft(j.Next(), store.MarkOpen, "asked"))
	want = append(want, texts(t, j)[len(want):]...)
	mustClose(t, j)
	overwrite(t, o.Path, 2*4096, bytes.Repeat([]byte{0xff}, 512<<10))
	j = mustOpen(t, o)
	if f := j.Facts(); f.LostEntries != 0 || f.Rebuilt == "" || len(f.Damaged) > 0 {
		t.Errorf("facts: %+v", f)
	}
	wantTexts(t, j, want...)
	wantSound(t, j)
}

// The slot that an old entry was carried into is damaged, while its first slot is still there and
// about to be overwritten: the next start carries it again.
func TestACarriedEntryIsCarriedAgainWhenItsSlotIsDamaged(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "asked"))
	for range 97 {
		mustAppend(t, j, draft(j.Next(), store.MarkClose, "x"))
	}
	mustClose(t, j)
	const carrier = 97 // 32 slots before the turn of slot 1 comes again
	if n := strings.Count(string(readFile(t, ringOf(o))), "asked"); n != 2 {
		t.Fatalf("the entry is in %d slots", n)
	}
	overwrite(t, ringOf(o), carrier*ringSlotBytes, []byte{0xff})
	j = mustOpen(t, o)
	for range 60 {
		mustAppend(t, j, draft(j.Next(), store.MarkClose, "x"))
	}
	if f := j.Facts(); f.NotCovered != 0 {
		t.Errorf("facts: %+v", f)
	}
}

// A commit of several slots is cut off: the first slot is lost, a later one is there. Its entries
// were never acknowledged, and their numbers are given out again.
func TestALeftoverOfACutCommitIsNotMistaken(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	before := copyFiles(t, filepath.Dir(o.Path))
	var ds []store.Draft
	for range 20 {
		ds = append(ds, typical(1, store.MarkKeep))
	}
	mustAppend(t, j, ds...)
	mustClose(t, j)
	os.Remove(o.Path + ".closed") // is written after the commit
	copyFile(t, filepath.Join(before, journalName), o.Path)
	overwrite(t, ringOf(o), 2*ringSlotBytes, make([]byte, ringSlotBytes))

	j = mustOpen(t, o)
	wantTexts(t, j, "1 1 a")
	mustAppend(t, j, draft(1, store.MarkKeep, "b"))
	mustClose(t, j)
	ring, err := store.ReadRing(ringOf(o))
	if err != nil || len(ring.Entries) != 2 {
		t.Errorf("ring still has %d entries, want 2; %v", len(ring.Entries), err)
	}
	j = mustOpen(t, o)
	wantTexts(t, j, "1 1 a", "2 1 b")
	wantSound(t, j)
}

// An entry with the right number that follows another history is not taken from the ring, however
// whole it is.
func TestAnEntryThatDoesNotFollowTheChainIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, options(dir))
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	other := copyFiles(t, dir)
	mustAppend(t, j, draft(1, store.MarkKeep, "this way"))
	mustAppend(t, j, draft(1, store.MarkKeep, "and on"))
	mustClose(t, j)
	k := mustOpen(t, options(other))
	mustAppend(t, k, draft(1, store.MarkKeep, "that way"))
	mustClose(t, k)

	third := readFile(t, filepath.Join(dir, ringName))[3*ringSlotBytes : 4*ringSlotBytes]
	overwrite(t, filepath.Join(other, ringName), 3*ringSlotBytes, third)
	k = mustOpen(t, options(other))
	wantTexts(t, k, "1 1 a", "2 1 that way")
	wantSound(t, k)
}

func TestClosingCommitsWhatWasNoted(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	if _, err := j.Note(draft(1, store.MarkOpen, "noted")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	if err := os.Remove(ringOf(o)); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, mustOpen(t, o), "1 1 noted")
}

// A bit flips in bbolt: the checksum of the entry finds it, a reader gets an error with the seq,
// and at the next start the ring's copy mends it, with the old file kept.
func TestAFlippedBitIsFoundAndMendedFromTheRing(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "asked once"))
	mustAppend(t, j, draft(1, store.MarkKeep, "UNIQUE-TEXT"))
	mustAppend(t, j, draft(3, store.MarkOpen, "asked again"))
	flip(t, o.Path, "UNIQUE-TEXT")

	es, err := j.Scan(1, 10)
	wantErr(t, err, store.ErrCorrupt)
	if len(es) != 1 || !strings.Contains(err.Error(), "entry 2") {
		t.Errorf("%d entries before the damage, %v", len(es), err)
	}
	if story, err := j.Story(1); !errors.Is(err, store.ErrCorrupt) || len(story) != 0 {
		t.Errorf("story: %v, %v", story, err)
	}
	if story, err := j.Story(3); err != nil || len(story) != 1 {
		t.Errorf("story of another key: %v, %v", story, err)
	}
	if fs := faults(t, j); len(fs) == 0 || fs[0].Seq != 2 {
		t.Errorf("faults: %v", fs)
	}
	mustClose(t, j)

	j = mustOpen(t, o)
	wantTexts(t, j, "1 1 asked once", "2 1 UNIQUE-TEXT", "3 3 asked again")
	wantSound(t, j)
	f := j.Facts()
	if f.Rebuilt == "" || f.Quarantine != o.Path+".quarantine-1" {
		t.Errorf("facts: %+v", f)
	}
	if _, err := os.Stat(f.Quarantine); err != nil {
		t.Error(err)
	}
}

// Both copies of an entry of an open key are damaged: the key stays open, and is named.
func TestAnEntryWithoutAGoodCopyIsHeld(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "UNIQUE-TEXT"))
	mustAppend(t, j, draft(1, store.MarkKeep, "approved"))
	mustAppend(t, j, draft(3, store.MarkOpen, "asked"))
	mustClose(t, j)
	flip(t, o.Path, "UNIQUE-TEXT")
	flip(t, ringOf(o), "UNIQUE-TEXT")

	j = mustOpen(t, o)
	if diff := cmp.Diff([]uint64{1}, j.Facts().Damaged); diff != "" {
		t.Errorf("damaged keys:\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{1, 3}, j.OpenKeys()); diff != "" {
		t.Errorf("open keys:\n%s", diff)
	}
	story, err := j.Story(1)
	wantErr(t, err, store.ErrCorrupt)
	if len(story) != 1 || string(story[0].Payload) != "approved" {
		t.Errorf("story: %v", story)
	}
	mustAppend(t, j, draft(1, store.MarkKeep, "held"))
	mustClose(t, j)

	// A rebuild cannot know that the lost entry opened the key, but what follows it shows it.
	writeFile(t, o.Path+".suspect", nil)
	j = mustOpen(t, o)
	if diff := cmp.Diff([]uint64{1, 3}, j.OpenKeys()); diff != "" {
		t.Errorf("open keys after a rebuild:\n%s", diff)
	}
	if f := j.Facts(); f.Quarantine == "" || len(f.Damaged) != 1 {
		t.Errorf("facts: %+v", f)
	}
	if diff := cmp.Diff([]store.Range{{First: 1, Last: 1}}, verdict(t, j).Lost); diff != "" {
		t.Errorf("gaps:\n%s", diff)
	}
	wantSound(t, j)
}

// flip changes one bit of every place that holds text.
func flip(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), text) {
		t.Fatalf("%s does not hold %q", path, text)
	}
	for at := 0; ; at++ {
		i := strings.Index(string(b[at:]), text)
		if i < 0 {
			return
		}
		at += i
		overwrite(t, path, int64(at), []byte{b[at] ^ 1})
	}
}
