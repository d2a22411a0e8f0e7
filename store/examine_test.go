package store_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"reversald/store"
)

// A journal that was closed well is opened without a look; any other is looked at first, and what
// is found is the reason for a copy.
func TestOnlyWhatWasNotClosedWellIsExamined(t *testing.T) {
	o := options(t.TempDir())
	looks, finding := 0, ""
	o.Examine = func(store.Options) (string, error) { looks++; return finding, nil }
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"))
	killed := options(copyFiles(t, strings.TrimSuffix(o.Path, journalName)))
	killed.Examine = o.Examine
	mustClose(t, j)
	mustClose(t, mustOpen(t, o))
	if looks != 0 {
		t.Errorf("%d looks at a journal that was closed well", looks)
	}
	j = mustOpen(t, killed)
	if looks != 1 || j.Facts().Rebuilt != "" {
		t.Errorf("%d looks, facts %+v", looks, j.Facts())
	}
	mustAppend(t, j, draft(2, store.MarkOpen, "b"))
	killed = options(copyFiles(t, strings.TrimSuffix(killed.Path, journalName)))
	killed.Examine, finding = o.Examine, "the child died"
	j = mustOpen(t, killed)
	if f := j.Facts(); f.Rebuilt != "the child died" || f.Quarantine == "" || f.LostEntries != 0 {
		t.Errorf("facts: %+v", f)
	}
	wantTexts(t, j, "1 1 a", "2 2 b")
	killed.Examine = func(store.Options) (string, error) { return "", store.ErrLocked }
	_, err := store.Open(killed)
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("a journal in use: %v", err)
	}
}

func TestExamineFindsWhatWouldBeMet(t *testing.T) {
	for name, harm := range map[string]func(o store.Options){
		"":             func(store.Options) {},
		"truncated":    func(o store.Options) { os.Truncate(o.Path, 8*4096) },
		"zero length":  func(o store.Options) { os.Truncate(o.Path, 0) },
		"no metas":     func(o store.Options) { overwrite(t, o.Path, 0, make([]byte, 8192)) },
		"no root page": func(o store.Options) { everyPageWith(t, o.Path, "payments") },
	} {
		o := options(memoryDir(t))
		shopDay(t, o)
		harm(o)
		found, err := store.Examine(o)
		if err != nil || (found == "") != (name == "") {
			t.Errorf("%s: found %q, %v", name, found, err)
		}
	}
}
