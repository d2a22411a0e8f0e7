package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reversald/store"
)

// The test binary is also storm: a judge runs it again as its workers.
func TestMain(m *testing.M) {
	if os.Getenv("STORM_AGAIN") != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// taker takes down what a writer does to a folder, by looking at the files after every step, and
// gives it the order that the store has: the ring beside bbolt's pages, then bbolt's meta page, and
// the mark last, which nobody syncs.
type taker struct {
	t     *testing.T
	dir   string
	files map[string][]byte
	ids   map[string]int
	log   []op
}

func (k *taker) mark(text string) { k.log = append(k.log, op{Kind: opMark, Data: []byte(text)}) }

func (k *taker) look() {
	k.t.Helper()
	there, err := os.ReadDir(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	var pages, metas, marks []op
	var synced []int
	for _, f := range there {
		now, err := os.ReadFile(filepath.Join(k.dir, f.Name()))
		if err != nil {
			k.t.Fatal(err)
		}
		was, known := k.files[f.Name()]
		if !known {
			k.ids[f.Name()] = len(k.ids) + 1
			k.log = append(k.log, op{Kind: opCreate, File: k.ids[f.Name()], Name: f.Name()}, op{Kind: opSyncDir})
		}
		id := k.ids[f.Name()]
		for at := 0; at < len(now); at += 4096 {
			end := min(at+4096, len(now))
			if end <= len(was) && bytes.Equal(was[at:end], now[at:end]) {
				continue
			}
			o := op{Kind: opWrite, File: id, Off: int64(at), Data: now[at:end]}
			switch {
			case f.Name() == "journal.db.closed":
				marks = append(marks, o)
			case known && f.Name() == "journal.db" && at < 8192:
				metas = append(metas, o)
			default:
				pages = append(pages, o)
			}
		}
		k.files[f.Name()] = now
		if f.Name() != "journal.db.closed" {
			synced = append(synced, id)
		}
	}
	k.log = append(k.log, pages...)
	for _, id := range synced {
		k.log = append(k.log, op{Kind: opSync, File: id})
	}
	k.log = append(k.log, metas...)
	k.log = append(k.log, op{Kind: opSync, File: k.ids["journal.db"]})
	k.log = append(k.log, marks...)
}

func (k *taker) write() string {
	k.t.Helper()
	path := filepath.Join(k.t.TempDir(), "disk.log")
	f, err := os.Create(path)
	if err != nil {
		k.t.Fatal(err)
	}
	enc := gob.NewEncoder(f)
	for _, o := range k.log {
		if err := enc.Encode(o); err != nil {
			k.t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		k.t.Fatal(err)
	}
	return path
}

// aLife is the log of a journal of a few commits.
func aLife(t *testing.T) string {
	t.Helper()
	k := &taker{t: t, dir: t.TempDir(), files: map[string][]byte{}, ids: map[string]int{}}
	o := journalOptions(k.dir)
	j, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	k.look()
	k.mark(ackLine(0))
	for range 12 {
		seq := j.Next()
		d := draftOf(1, seq)
		k.mark(tryLine(seq, d.Key, d.Mark, d.Payload))
		if _, err := j.Append(d); err != nil {
			t.Fatal(err)
		}
		k.look()
		k.mark(ackLine(seq))
	}
	return k.write()
}

// judgeOf runs a judge and gives what it printed and its exit code.
func judgeOf(t *testing.T, args ...string) (outcome, int) {
	t.Helper()
	var out, errout bytes.Buffer
	code := run(append([]string{"judge", "-dir", t.TempDir()}, args...), &out, &errout)
	var o outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, out.Bytes(), errout.Bytes())
	}
	return o, code
}

// Every state that a power cut can leave of a commit opens, with everything acknowledged; the same
// log with its syncs ignored does not, or else the judge would be blind.
func TestEveryStateOfAShortLifeAndTheControl(t *testing.T) {
	log := aLife(t)
	good, code := judgeOf(t, "-log", log, "-chance", "8", "-states", "1500")
	t.Logf("%+v", good)
	if code != exitDone || good.AllBad > 0 || good.All < 1000 || good.States["garbage"] == 0 {
		t.Errorf("exit %d: %+v", code, good)
	}
	hurt, code := judgeOf(t, "-log", log, "-chance", "4", "-states", "300", "-damage")
	if code != exitDone || hurt.AllBad > 0 || hurt.Rebuilt == 0 {
		t.Errorf("damaged: exit %d: %+v", code, hurt)
	}
	bad, code := judgeOf(t, "-log", log, "-chance", "8", "-states", "200", "-no-syncs")
	if code != exitFound || bad.AllBad == 0 || len(bad.First) == 0 ||
		!strings.Contains(bad.First[0], "-only") {
		t.Errorf("without syncs: exit %d: %+v", code, bad)
	}
}

// A state that ends its judge is found, and those after it are judged all the same.
func TestAStateThatEndsItsJudgeIsAFinding(t *testing.T) {
	dir := t.TempDir()
	if code := run([]string{"plain", "-dir", dir, "-commits", "1"}, os.Stdout, os.Stderr); code != exitDone {
		t.Fatal("exit", code)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	k := &taker{t: t}
	d := draftOf(1, 1)
	k.log = []op{
		{Kind: opMark, Data: []byte(ackLine(0) + tryLine(1, d.Key, d.Mark, d.Payload))},
		{Kind: opCreate, File: 1, Name: "journal.db"},
		{Kind: opSyncDir},
		{Kind: opWrite, File: 1, Data: whole[:8192]}, // both meta pages, and nothing they promise
		{Kind: opSync, File: 1},
		{Kind: opWrite, File: 1, Off: 8192, Data: whole[8192:]},
	}
	o, code := judgeOf(t, "-log", k.write(), "-plain")
	t.Logf("%+v", o)
	if code != exitFound || o.Bad["DIED"] == 0 || o.All <= o.Died {
		t.Errorf("exit %d: %+v", code, o)
	}
}

// What was synced is in every state, what was not in some; every subset of a few sectors is tried.
func TestStatesAreWhatACutCanLeave(t *testing.T) {
	sector := func(c byte) []byte { return bytes.Repeat([]byte{c}, sectorBytes) }
	log := []op{
		{Kind: opMark, Data: []byte(ackLine(0))},
		{Kind: opCreate, File: 1, Name: "a"},
		{Kind: opWrite, File: 1, Data: sector('s')},
		{Kind: opSyncDir},
		{Kind: opSync, File: 1},
		{Kind: opWrite, File: 1, Data: append(sector('x'), sector('y')...)},
		{Kind: opRename, Name: "a", Name2: "b"},
	}
	tr := &trial{Seed: 1, Chance: 0, Strict: true, Only: -1, Parts: 1, After: -1}
	got := map[string]int{}
	err := tr.each(log, func(s *state) error {
		if s.durable.names["a"] == 0 || s.kind == "garbage" {
			return nil // before the first sync, or noise
		}
		m := newImage()
		m.become(s.durable)
		m.suffer(s.pending, s.us, s.fates, s.random)
		name := "a"
		if _, is := m.names["b"]; is {
			name = "b"
		}
		content := m.files[m.names[name]]
		text := name
		for at := 0; at < len(content); at += sectorBytes {
			text += string(content[at : at+1])
		}
		got[strings.ReplaceAll(text, "\x00", "0")]++
		return nil
	})
	want := []string{"a", "as", "asy", "ax", "axy", "bs", "bsy", "bx", "bxy"}
	var states []string
	for text := range got {
		states = append(states, text)
	}
	slices.Sort(states)
	if err != nil || !slices.Equal(states, want) {
		t.Errorf("states %v, want %v; %v", states, want, err)
	}
}

// A failed sync that forgets takes its writes with it.
func TestAForgottenSyncTakesItsWritesWithIt(t *testing.T) {
	log := []op{
		{Kind: opMark, Data: []byte(ackLine(0))},
		{Kind: opCreate, File: 1, Name: "a"},
		{Kind: opSyncDir},
		{Kind: opWrite, File: 1, Data: []byte("gone")},
		{Kind: opForget, File: 1},
		{Kind: opWrite, File: 1, Off: 600, Data: []byte("there")},
		{Kind: opSync, File: 1},
		{Kind: opTrunc, File: 1, Off: 700},
	}
	tr := &trial{Seed: 1, Strict: true, Only: -1, Parts: 1, After: -1}
	last := newImage()
	if err := tr.each(log, func(s *state) error { last.become(s.durable); return nil }); err != nil {
		t.Fatal(err)
	}
	content := last.files[last.names["a"]]
	if bytes.Contains(content, []byte("gone")) || !bytes.Contains(content, []byte("there")) {
		t.Errorf("%q", content)
	}
}

// The writer takes every step, and its journal proves itself afterwards.
func TestTheWriterTakesEveryStep(t *testing.T) {
	dir := t.TempDir()
	if code := run([]string{"sample", "-dir", dir}, os.Stdout, os.Stderr); code != exitDone {
		t.Fatal("sample: exit", code)
	}
	var said bytes.Buffer
	marks := filepath.Join(dir, ".mark")
	if err := os.WriteFile(marks, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	steps := "open,append:30,note:3,forget:4,reopen,compact,rotate,salvage,suspect,append:2,hurt,append:1,close"
	if code := run([]string{"write", "-dir", dir, "-steps", steps}, &said, &said); code != exitDone {
		t.Fatalf("exit %d: %s", code, said.Bytes())
	}
	truth := newTruth()
	text, err := os.ReadFile(marks)
	if err != nil {
		t.Fatal(err)
	}
	if err := truth.hear(text[bytes.LastIndex(text, []byte("try 1 ")):]); err != nil {
		t.Logf("%v", err) // the marks overwrite each other in a common file
	}
	v, err := store.Verify(journalOptions(dir))
	if err != nil || v.Last < 30 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, wrong := range [][]string{
		{},
		{"write"},
		{"write", "-dir", dir, "-steps", "dance"},
		{"judge"},
		{"plain"},
		{"sample", "-dir", dir, "-name", "none"},
		{"dance"},
	} {
		if code := run(wrong, &said, &said); code != exitUsage {
			t.Errorf("%v: exit %d", wrong, code)
		}
	}
}

// The packed journal here is the one that the store's own tests open.
func TestTheSampleIsThatOfTheStore(t *testing.T) {
	ours, err := os.ReadFile("testdata/format-1.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile("../../testdata/format-1.tar.gz")
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Error("they differ:", err)
	}
}

// Each story ends, and what the writer says of it adds up.
func TestWhatTheWriterWritesAddsUp(t *testing.T) {
	tr := newTruth()
	for seq := uint64(1); seq <= 400; seq++ {
		d := draftOf(7, seq)
		if d.Key > seq {
			t.Fatalf("entry %d is of key %d", seq, d.Key)
		}
		if err := tr.hear([]byte(tryLine(seq, d.Key, d.Mark, d.Payload))); err != nil {
			t.Fatal(err)
		}
	}
	open := tr.open(400)
	if len(open) < 2 || len(open) > 12 {
		t.Errorf("%d are open: %v", len(open), open)
	}
	if err := tr.hear([]byte("nonsense here")); err == nil {
		t.Error("nonsense was understood")
	}
	if a, b := hashOf([]fate{kept, lost}), hashOf([]fate{lost, kept}); a == b {
		t.Error("two states are one")
	}
}
