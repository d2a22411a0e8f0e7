package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sold is one good sale, as all three know it.
func sold() ([]told, []booked, []filed) {
	return []told{{TID: "T", STAN: "1", Amount: 100, Outcome: "approved"}},
		[]booked{{Terminal: "T", STAN: "1", State: "debited", Amount: 100, Requests: 1}},
		[]filed{
			{ID: 1, Kind: "asked", Terminal: "T", STAN: "1"},
			{ID: 1, Kind: "approved"},
			{ID: 1, Kind: "confirmed"},
		}
}

// The comparison finds each of the faults it is there for, and nothing where there is none.
func TestTheComparisonFindsWhatItIsThereFor(t *testing.T) {
	reversed := []filed{
		{ID: 1, Kind: "asked", Terminal: "T", STAN: "1"},
		{ID: 1, Kind: "approved"},
		{ID: 1, Kind: "doubted", Reason: "power cut"},
		{ID: 1, Kind: "reversed"},
	}
	for name, c := range map[string]struct {
		harm   func(*[]told, *[]booked, *[]filed)
		l      lenience
		want   string // in the first fault; empty: none
		window int
	}{
		"good":         {harm: func(*[]told, *[]booked, *[]filed) {}},
		"orphan":       {harm: func(s *[]told, _ *[]booked, _ *[]filed) { (*s)[0].Outcome = "unknown" }, want: "ORPHAN"},
		"nobody's":     {harm: func(s *[]told, _ *[]booked, _ *[]filed) { *s = nil }, want: "ORPHAN"},
		"lost":         {harm: func(_ *[]told, b *[]booked, _ *[]filed) { (*b)[0].State = "reversed" }, want: "LOST"},
		"another sum":  {harm: func(_ *[]told, b *[]booked, _ *[]filed) { (*b)[0].Amount = 99 }, want: "LOST"},
		"sent twice":   {harm: func(_ *[]told, b *[]booked, _ *[]filed) { (*b)[0].Requests = 2 }, want: "sent 2 times"},
		"booked twice": {harm: func(_ *[]told, b *[]booked, _ *[]filed) { *b = append(*b, (*b)[0]) }, want: "two entries"},
		"left open":    {harm: func(_ *[]told, _ *[]booked, f *[]filed) { *f = (*f)[:2] }, want: "left open"},
		"needs a hand": {harm: func(_ *[]told, _ *[]booked, f *[]filed) { (*f)[2].Kind = "stuck" }, want: "a person"},
		"after damage": {harm: func(_ *[]told, _ *[]booked, f *[]filed) { *f = (*f)[:2] }, l: lenience{damaged: true}},
		"filed as undone": {
			harm: func(_ *[]told, _ *[]booked, f *[]filed) { *f = slices.Clone(reversed) },
			want: "on file as undone",
		},
		"the window": {
			harm: func(_ *[]told, b *[]booked, f *[]filed) {
				(*b)[0].State, *f = "reversed", slices.Clone(reversed)
			},
			window: 1,
		},
		"no window without a kill": {
			harm: func(_ *[]told, b *[]booked, f *[]filed) {
				(*b)[0].State, *f = "reversed", slices.Clone(reversed)
				(*f)[2].Reason = "no answer in time"
			},
			want: "LOST",
		},
		"forgotten, far from a kill": {
			harm: func(_ *[]told, b *[]booked, f *[]filed) { (*b)[0].State, *f = "reversed", nil },
			l:    lenience{forgets: true}, want: "LOST",
		},
	} {
		tolds, books, lines := sold()
		c.harm(&tolds, &books, &lines)
		got := compare(tolds, books, lines, c.l)
		if (c.want == "") != (len(got.faults) == 0) || got.window != c.window ||
			(c.want != "" && !strings.Contains(strings.Join(got.faults, "\n"), c.want)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// build makes the programs, once.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	for _, from := range []string{
		"agent/cmd/reversald", "iso/cmd/acquirerd", "store/cmd/storm", "cross/torture/recorder",
	} {
		cmd := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "./"+from)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			if strings.HasSuffix(from, "recorder") {
				t.Logf("no recorder here: %s", out)
				continue
			}
			t.Fatalf("%s: %v: %s", from, err, out)
		}
	}
	return bin
}

// A small slice of everything, with the controls. What this machine does not let us do is passed
// over in words, which the log of the test shows. Fresh chance each time: the seed is printed.
func TestASliceOfTheTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some hundred processes")
	}
	var out, errout bytes.Buffer
	code := run(t.Context(), []string{
		"-bin", build(t), "-kills", "60", "-cuts", "20", "-states", "2500", "-blocks", "80",
	}, &out, &errout)
	t.Logf("%s%s", out.String(), errout.String())
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err == nil && bytes.Contains(mounts, []byte("/torture-")) {
		for line := range bytes.Lines(mounts) {
			if bytes.Contains(line, []byte("/torture-")) {
				t.Logf("still mounted, perhaps by another run: %s", line)
			}
		}
	}
}

// A program that is not there, or a flag that makes no sense, is said and not run.
func TestNothingRunsWithoutItsPrograms(t *testing.T) {
	var out, errout bytes.Buffer
	if code := run(t.Context(), []string{"-bin", t.TempDir()}, &out, &errout); code != 1 ||
		!strings.Contains(errout.String(), "make torture") {
		t.Errorf("exit %d: %s", code, errout.String())
	}
	if code := run(t.Context(), []string{"-dance"}, &out, &errout); code != 64 {
		t.Errorf("exit %d", code)
	}
}
