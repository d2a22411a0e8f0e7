package store_test

import (
	"strconv"
	"strings"
	"testing"

	"reversald/store"
)

// salvaged opens, lets the check in the background find what there is, and opens again.
func salvaged(t *testing.T, o store.Options) *store.Journal {
	t.Helper()
	j := mustOpen(t, o)
	v, err := j.SelfCheck(t.Context(), func() {})
	if err != nil || len(v.Faults) == 0 {
		t.Fatalf("faults %v, %v", v.Faults, err)
	}
	mustClose(t, j)
	j = mustOpen(t, o)
	if f := j.Facts(); f.Rebuilt == "" || f.LostEntries == 0 {
		t.Fatalf("facts: %+v", f)
	}
	return j
}

// onFile says of which of the first four payments there are entries.
func onFile(t *testing.T, j *store.Journal) string {
	t.Helper()
	var there []string
	for key := range uint64(4) {
		es, err := j.History(key+1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(es) > 0 {
			there = append(there, strconv.FormatUint(key+1, 10))
		}
	}
	return strings.Join(there, " ")
}

// Pieces of a story of which damage has taken the end, or the middle, are forgotten like any other
// closed payment; those of payments that are open, or close later, are not.
func TestPiecesOfALostStoryAreForgotten(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "end lost"), draft(2, store.MarkOpen, "middle lost"),
		draft(3, store.MarkOpen, "stays open"), draft(4, store.MarkOpen, "closes late"))
	mustAppend(t, j, draft(2, store.MarkKeep, "GONE-MIDDLE"))
	batchOfSales(t, j, 0, 20)
	mustAppend(t, j, draft(2, store.MarkClose, "closed"), draft(1, store.MarkClose, "GONE-END"))
	batchOfSales(t, j, 0, 20)
	mustClose(t, j)
	for _, text := range []string{"GONE-MIDDLE", "GONE-END"} {
		flip(t, o.Path, text)
		flip(t, ringOf(o), text)
	}
	j = salvaged(t, o)
	for day := range 30 {
		batchOfSales(t, j, 1+day, 20)
	}
	last := j.Last()
	retain := store.Retention{Payments: 100}
	if on := onFile(t, j); on != "1 2 3 4" {
		t.Fatalf("after the salvage: %s", on)
	}
	for range 20 { // as often as the daemon looks for something to forget
		forgetAll(t, j, day0.AddDate(0, 0, 40), retain)
	}
	if on := onFile(t, j); on != "3 4" {
		t.Errorf("after the sweep: %s", on)
	}
	wantSound(t, j)
	mustAppend(t, j, draft(4, store.MarkClose, "closed at last"))
	for day := range 30 {
		batchOfSales(t, j, 50+day, 20)
	}
	for range 20 {
		forgetAll(t, j, day0.AddDate(0, 0, 90), retain)
	}
	if on := onFile(t, j); on != "3" {
		t.Errorf("at the end: %s", on)
	}
	if f := j.Facts(); f.OpenKeys != 1 || j.Last() <= last {
		t.Errorf("facts: %+v", f)
	}
	mustClose(t, j)
	wantProven(t, o)
	mustClose(t, mustOpen(t, o))
	wantProven(t, o)
}

// As long as such pieces are on file they are no fault, and a salvage does not take them for an open
// payment: the agent would take back a sale that was finished.
func TestPiecesOfALostStoryAreNotOpen(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "end lost"))
	batchOfSales(t, j, 0, 20)
	mustAppend(t, j, draft(1, store.MarkClose, "GONE-END"))
	for range 120 { // until the ring has let go of what is closed
		batchOfSales(t, j, 0, 20)
	}
	mustClose(t, j)
	flip(t, o.Path, "GONE-END")
	j = salvaged(t, o)
	day := day0.AddDate(0, 0, 40)
	if n, err := j.Forget(day, store.Retention{Payments: 100}); err != nil || n == 0 || onFile(t, j) != "1" {
		t.Fatalf("%d, %v: %q", n, err, onFile(t, j)) // base has passed the gap, and nobody has swept
	}
	wantSound(t, j)
	mustClose(t, j)
	wantProven(t, o)
	for _, damage := range []bool{false, true} {
		if damage {
			b := readFile(t, ringOf(o))
			b[len(b)-3000] ^= 1
			writeFile(t, ringOf(o), b)
		}
		f, err := store.Salvage(o, false)
		if err != nil || f.OpenKeys != len(f.Fateless) || (f.OpenKeys > 0) != damage {
			t.Errorf("damage %v: facts %+v, %v", damage, f, err)
		}
		wantProven(t, o)
	}
}
