package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

var day0 = time.Unix(1700000000, 0).UTC()

// stamped is a draft of a day.
func stamped(key uint64, mark store.Mark, day int) store.Draft {
	return store.Draft{
		Key: key, Kind: 1, Mark: mark, Wall: day0.AddDate(0, 0, day), Payload: payloadOf(key),
		Secret: []byte("4111111111111111=2912"),
	}
}

// forgetAll calls Forget as an idle writer does.
func forgetAll(t testing.TB, j *store.Journal, now time.Time, limits store.Retention) (entries, calls int) {
	t.Helper()
	for {
		n, err := j.Forget(now, limits)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return entries, calls
		}
		if n > 500 {
			t.Errorf("%d entries at once", n)
		}
		entries += n
		calls++
	}
}

func TestForgettingByAge(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for day := range 10 {
		key := j.Next()
		mustAppend(t, j, stamped(key, store.MarkOpen, day))
		mustAppend(t, j, stamped(key, store.MarkClose, day))
	}
	now := day0.AddDate(0, 0, 9)
	n, _ := forgetAll(t, j, now, store.Retention{Age: 5*24*time.Hour + time.Minute})
	if f := j.Facts(); n != 8 || f.First != 9 || f.Payments != 6 {
		t.Errorf("%d entries, facts %+v", n, f)
	}
	// A clock that has jumped ahead is not believed before there is an entry to confirm it.
	if n, _ := forgetAll(t, j, now.AddDate(70, 0, 0), store.Retention{Age: 5*24*time.Hour + time.Minute}); n != 0 {
		t.Errorf("a jump of the clock made it forget %d entries", n)
	}
	wantSound(t, j)
	mustClose(t, j)
	wantProven(t, o)
}

func TestForgettingByCountAndByBytes(t *testing.T) {
	j := mustOpen(t, options(t.TempDir()))
	for range 2000 {
		key := j.Next()
		mustAppend(t, j, stamped(key, store.MarkOpen, 0), stamped(key, store.MarkClose, 0))
	}
	n, calls := forgetAll(t, j, day0, store.Retention{Payments: 1200})
	if f := j.Facts(); n != 1600 || calls != 4 || f.Payments != 1200 {
		t.Errorf("%d entries in %d calls, facts %+v", n, calls, f)
	}
	n, _ = forgetAll(t, j, day0, store.Retention{Bytes: 500_000})
	if f := j.Facts(); n == 0 || f.Payments == 1200 || f.Payments < 100 {
		t.Errorf("%d entries, facts %+v", n, f)
	}
	wantSound(t, j)
}

// What is open is never touched, and what was open for long goes as a whole when its end goes.
func TestForgettingSparesWhatIsOpen(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, stamped(1, store.MarkOpen, 0))
	mustAppend(t, j, stamped(2, store.MarkOpen, 0))
	closed := func(n, day int) {
		for range n {
			key := j.Next()
			mustAppend(t, j, stamped(key, store.MarkOpen, day), stamped(key, store.MarkClose, day))
			mustAppend(t, j, stamped(1, store.MarkKeep, day), stamped(2, store.MarkKeep, day))
		}
	}
	closed(700, 1)
	all := store.Retention{Payments: 1}
	forgetAll(t, j, day0, all)
	story, err := j.Story(1)
	if err != nil || len(story) != 701 {
		t.Fatalf("story of %d entries, %v", len(story), err)
	}
	if f := j.Facts(); f.Payments != 2 || f.OpenKeys != 2 {
		t.Errorf("facts: %+v", f)
	}
	wantSound(t, j)
	mustAppend(t, j, stamped(1, store.MarkClose, 2))
	closed(10, 3)
	mustAppend(t, j, stamped(0, store.MarkKeep, 9))
	n, calls := forgetAll(t, j, day0.AddDate(0, 0, 9), store.Retention{Age: 24 * time.Hour})
	if f := j.Facts(); f.Payments != 1 || calls < 2 {
		t.Errorf("%d entries in %d calls, facts: %+v", n, calls, f)
	}
	if es, err := j.History(1, 10); err != nil || len(es) > 0 {
		t.Errorf("of a forgotten payment there are %v, %v", es, err)
	}
	mustClose(t, j)
	if v := wantProven(t, o); v.Entries > 800 || v.Last != j.Last() {
		t.Errorf("verdict: %+v", v)
	}
	j = mustOpen(t, o)
	if story, err := j.Story(2); err != nil || len(story) != 711 {
		t.Errorf("story of %d entries, %v", len(story), err)
	}
}

// Any life of a journal, forgotten, reopened, rebuilt and compacted in between, proves itself, and
// has the stories of all that is open.
func TestForgettingAtRandom(t *testing.T) {
	seeds := 30
	if testing.Short() {
		seeds = 4
	}
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 7))
		o := options(memoryDir(t))
		j := mustOpen(t, o)
		stories := map[uint64][]uint64{}
		for step := range 400 {
			switch random.IntN(12) {
			case 0, 1, 2, 3:
				key := j.Next()
				stories[key] = []uint64{mustAppend(t, j, stamped(key, store.MarkOpen, step))}
			case 4:
				mustAppend(t, j, stamped(0, store.MarkKeep, step))
			case 5:
				if _, err := j.Note(stamped(0, store.MarkKeep, step)); err != nil {
					t.Fatal(err)
				}
			case 6:
				_, err := j.Forget(day0.AddDate(0, 0, step), store.Retention{
					Age: time.Duration(random.IntN(200)) * 24 * time.Hour, Payments: 1 + random.IntN(60),
				})
				if err != nil {
					t.Fatal(err)
				}
			case 7:
				if random.IntN(8) == 0 {
					mustClose(t, j)
					j = reopened(t, o, random.IntN(3))
				}
			default:
				for key, seqs := range stories {
					if random.IntN(2) == 0 {
						mustAppend(t, j, stamped(key, store.MarkClose, step))
						delete(stories, key)
					} else {
						stories[key] = append(seqs, mustAppend(t, j, stamped(key, store.MarkKeep, step)))
					}
					break
				}
			}
		}
		if err := j.Flush(); err != nil {
			t.Fatal(err)
		}
		wantSound(t, j)
		got := map[uint64][]uint64{}
		for _, key := range j.OpenKeys() {
			story, err := j.Story(key)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for _, e := range story {
				got[key] = append(got[key], e.Seq)
			}
		}
		if diff := cmp.Diff(stories, got); diff != "" {
			t.Fatalf("seed %d: stories (-want +got):\n%s", seed, diff)
		}
		mustClose(t, j)
		wantProven(t, o)
	}
}

// reopened opens in one of three ways.
func reopened(t *testing.T, o store.Options, how int) *store.Journal {
	t.Helper()
	switch how {
	case 1:
		if f, err := store.Salvage(o, false); err != nil || f.Rebuilt == "" || f.LostEntries > 0 {
			t.Fatalf("salvage: %v, %+v", err, f)
		}
	case 2:
		if _, _, err := store.Compact(o); err != nil {
			t.Fatal(err)
		}
	}
	return mustOpen(t, o)
}

// A shop that sells 500 times a day for a year stays under the ceiling. The whole year is in the
// benchmark; this one is a smaller shop with a lower ceiling.
func TestAYearStaysUnderTheCeiling(t *testing.T) {
	o := options(memoryDir(t))
	o.SizeMax = 4 << 20
	j := mustOpen(t, o)
	stuck := j.Next()
	mustAppend(t, j, stamped(stuck, store.MarkOpen, 0))
	for day := range 365 {
		for range 4 {
			batchOfSales(t, j, day, 12)
		}
		forgetAll(t, j, day0.AddDate(0, 0, day), store.Retention{Age: 400 * 24 * time.Hour})
	}
	f := j.Facts()
	if f.Size > o.SizeMax || f.Payments < 1000 || !slices.Contains(j.OpenKeys(), stuck) {
		t.Errorf("facts: %+v", f)
	}
	wantSound(t, j)
	mustClose(t, j)
	wantProven(t, o)
	if info := mustOpen(t, o).Facts(); info.Rebuilt != "" && info.Quarantine != "" {
		t.Errorf("facts: %+v", info)
	}
}

// batchOfSales is n payments of three entries each, in three commits.
func batchOfSales(tb testing.TB, j *store.Journal, day, n int) {
	tb.Helper()
	first := j.Next()
	for step := range 3 {
		ds := make([]store.Draft, n)
		for i := range ds {
			ds[i] = typical(first+uint64(i), store.MarkOpen)
			ds[i].Wall = day0.AddDate(0, 0, day)
			if step == 2 {
				ds[i].Mark = store.MarkClose
			}
		}
		mustAppend(tb, j, ds...)
	}
}

func TestForgettingSurvivesACutAnywhere(t *testing.T) {
	o := options(memoryDir(t))
	j := mustOpen(t, o)
	for range 60 {
		sale(t, j)
	}
	mustAppend(t, j, typical(j.Next(), store.MarkOpen))
	before := readFile(t, o.Path)
	if n, err := j.Forget(day0, store.Retention{Payments: 20}); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	after := readFile(t, o.Path)
	for i, state := range cutOffs(before, after) {
		if i%7 != 0 {
			continue
		}
		cut := options(memoryDir(t))
		writeFile(t, cut.Path, state)
		copyFile(t, ringOf(o), ringOf(cut))
		copyFile(t, keyOf(o), keyOf(cut))
		k := mustOpen(t, cut)
		wantSound(t, k)
		if f := k.Facts(); f.Rebuilt != "" || f.Last != j.Last() {
			t.Fatalf("state %d: %+v", i, f)
		}
		mustClose(t, k)
		if i%49 == 0 {
			v, err := store.Verify(cut)
			if err != nil || len(v.Faults) > 0 {
				t.Fatalf("state %d: %v, %v", i, v.Faults, fmt.Sprint(err))
			}
		}
	}
}
