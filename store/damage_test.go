package store_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// shopDay is a journal after a day: many closed payments, an old one open since the morning, a
// stuck one with a history, and two of the last minute. It returns the keys that are open.
func shopDay(t *testing.T, o store.Options) (open []uint64) {
	t.Helper()
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "asked in the MORNING"))
	for range 90 {
		sale(t, j)
	}
	copyFile(t, ringOf(o), ringOf(o)+".noon")
	stuck := j.Next()
	mustAppend(t, j, draft(stuck, store.MarkOpen, "asked and STUCK"))
	for range 60 {
		mustAppend(t, j, draft(stuck, store.MarkOpen, "sent again"))
		sale(t, j)
	}
	late := j.Next()
	mustAppend(t, j, draft(late, store.MarkOpen, "asked LATE"))
	mustAppend(t, j, draft(late, store.MarkOpen, "approved LATE"))
	mustAppend(t, j, draft(j.Next(), store.MarkOpen, "asked LAST"))
	open = j.OpenKeys()
	mustClose(t, j)
	return open
}

// sale is a payment from its question to its end.
func sale(tb testing.TB, j *store.Journal) {
	tb.Helper()
	key := j.Next()
	mustAppend(tb, j, typical(key, store.MarkOpen))
	mustAppend(tb, j, typical(key, store.MarkOpen))
	mustAppend(tb, j, typical(key, store.MarkClose))
}

// everyPageWith zeroes the pages of a file that hold text, in use or not.
func everyPageWith(t *testing.T, path, text string) {
	t.Helper()
	b := readFile(t, path)
	for at := 0; at < len(b); at += 4096 {
		if bytes.Contains(b[at:at+4096], []byte(text)) {
			overwrite(t, path, int64(at), make([]byte, 4096))
		}
	}
}

// What Open does about damage, by what happened to the journal and what to its ring. "as it was"
// is no damage to this file.
//
//	opened     everything is there, and nothing was said or done but what Facts names
//	salvaged   copied into new files, the old one kept; every open payment is there, whole
//	held       the same, but open payments are there of which an entry is gone: named
//	ErrLost …  refused, no file changed: a person has to act
func TestTheDamageMatrix(t *testing.T) {
	type harm struct {
		name string
		do   func(t *testing.T, o *store.Options)
	}
	none := harm{"as it was", func(*testing.T, *store.Options) {}}
	zero := func(at int64, n int) func(*testing.T, *store.Options) {
		return func(t *testing.T, o *store.Options) { overwrite(t, o.Path, at, make([]byte, n)) }
	}
	journals := []harm{
		none,
		{"vanished", func(_ *testing.T, o *store.Options) { os.Remove(o.Path) }},
		{"zero length", func(_ *testing.T, o *store.Options) { os.Truncate(o.Path, 0) }},
		{"truncated", func(t *testing.T, o *store.Options) {
			os.Truncate(o.Path, int64(len(bytes.TrimRight(readFile(t, o.Path), "\x00"))/2)&^4095)
		}},
		{"noise", func(t *testing.T, o *store.Options) {
			writeFile(t, o.Path, bytes.Repeat([]byte("noise "), 100_000))
		}},
		{"both metas gone", zero(0, 8192)},
		{"a flipped bit in an open entry", func(t *testing.T, o *store.Options) {
			flip(t, o.Path, "asked in the MORNING")
		}},
		{"the page of an open entry torn", func(t *testing.T, o *store.Options) {
			everyPageWith(t, o.Path, "asked and STUCK")
		}},
		{"a stale page", func(t *testing.T, o *store.Options) {
			b := readFile(t, o.Path)
			at := bytes.Index(b, []byte("asked in the MORNING")) &^ 4095
			other := bytes.Index(b, []byte("asked and STUCK")) &^ 4095
			overwrite(t, o.Path, int64(at), b[other:other+4096])
		}},
		{"the newest page torn", func(t *testing.T, o *store.Options) {
			everyPageWith(t, o.Path, "approved LATE")
		}},
		{"another terminal's", func(t *testing.T, o *store.Options) {
			o.Terminal = "T1"
			other := settled(t)
			copyFile(t, other.Path, o.Path)
		}},
	}
	rings := []harm{
		none,
		{"absent", func(_ *testing.T, o *store.Options) { os.Remove(ringOf(*o)) }},
		{"truncated", func(_ *testing.T, o *store.Options) { os.Truncate(ringOf(*o), 5000) }},
		{"a damaged slot", func(t *testing.T, o *store.Options) { flip(t, ringOf(*o), "approved LATE") }},
		{"another journal's", func(t *testing.T, o *store.Options) {
			other := options(t.TempDir())
			shopDay(t, other)
			copyFile(t, ringOf(other), ringOf(*o))
		}},
		{"older", func(t *testing.T, o *store.Options) { copyFile(t, ringOf(*o)+".noon", ringOf(*o)) }},
	}
	const lost, key, unreadable, empty = "ErrLost", "ErrOtherKey", "ErrUnreadable", "ErrEmpty"
	want := map[string][]string{
		// journal                         ring: as it was, absent, truncated, damaged, other's, older
		"as it was":                      {"opened", "opened", "opened", "opened", lost, "opened"},
		"vanished":                       {"salvaged", lost, lost, "held", key, lost},
		"zero length":                    {"salvaged", empty, empty, "held", key, lost},
		"truncated":                      {"salvaged", unreadable, unreadable, "held", key, lost},
		"noise":                          {"salvaged", unreadable, unreadable, "held", key, lost},
		"both metas gone":                {"salvaged", "salvaged", "salvaged", "salvaged", lost, "salvaged"},
		"a flipped bit in an open entry": {"salvaged", "held", "held", "salvaged", lost, "salvaged"},
		"the page of an open entry torn": {"salvaged", "held", "held", "salvaged", lost, "held"},
		"a stale page":                   {"salvaged", "held", "held", "salvaged", lost, "salvaged"},
		// With the page above all others, which has the newest entries in it, goes the index.
		"the newest page torn": {"salvaged", lost, lost, "held", lost, lost},
		"another terminal's":   {key, key, key, key, key, key},
	}
	for _, journal := range journals {
		for i, ring := range rings {
			t.Run(journal.name+", ring "+ring.name, func(t *testing.T) {
				o := options(memoryDir(t))
				open := shopDay(t, o)
				journal.do(t, &o)
				ring.do(t, &o)
				if got := outcome(t, o, open); got != want[journal.name][i] {
					t.Errorf("%s, want %s", got, want[journal.name][i])
				}
			})
		}
	}
}

// outcome opens, and names what came of it.
func outcome(t *testing.T, o store.Options, open []uint64) string {
	t.Helper()
	dir := strings.TrimSuffix(o.Path, journalName)
	before := listing(t, dir)
	j, err := store.Open(o)
	if err != nil {
		os.Remove(o.Path + ".suspect") // word for the next start: all that a refusal may leave
		if after := listing(t, dir); after != before {
			t.Errorf("a refusal changed the files:\n%s\n%s", before, after)
		}
		for name, is := range map[string]error{
			"ErrLost": store.ErrLost, "ErrOtherKey": store.ErrOtherKey,
			"ErrUnreadable": store.ErrUnreadable, "ErrEmpty": store.ErrEmpty,
		} {
			if errors.Is(err, is) {
				wantErr(t, err, is)
				return name
			}
		}
		return err.Error()
	}
	f := j.Facts()
	t.Logf("%+v", f)
	got := "opened"
	if f.Rebuilt != "" {
		got = "salvaged"
		if strings.Contains(before, "journal.db:") && f.Quarantine == "" {
			t.Error("the old file was not kept")
		}
	}
	// No open payment is ever missing; one too many is named as perhaps closed.
	still := slices.DeleteFunc(j.OpenKeys(), func(key uint64) bool {
		return !slices.Contains(open, key) && slices.Contains(f.Fateless, key)
	})
	if diff := cmp.Diff(open, still); diff != "" {
		t.Errorf("open keys:\n%s", diff)
	}
	for _, key := range open {
		if _, err := j.Story(key); err != nil && len(f.Damaged) == 0 {
			t.Errorf("payment %d is damaged, and nothing says so: %v", key, err)
		}
	}
	if len(f.Damaged) > 0 {
		got = "held"
	}
	wantSound(t, j)
	mustAppend(t, j, draft(j.Next(), store.MarkOpen, "goes on"))
	mustClose(t, j)
	wantProven(t, o)
	if again := mustOpen(t, o).Facts(); again.Rebuilt != "" {
		t.Errorf("the second start rebuilds again: %s", again.Rebuilt)
	}
	return got
}
