package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// memoryDir is for tests that open thousands of journals and prove nothing about a disk.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// changedBlocks are the offsets of 4-KiB blocks that differ.
func changedBlocks(before, after []byte) []int {
	var offsets []int
	for at := 0; at < len(after); at += 4096 {
		if at >= len(before) || !bytes.Equal(before[at:at+4096], after[at:at+4096]) {
			offsets = append(offsets, at)
		}
	}
	return offsets
}

// mixed is before with some blocks of after, the last of them cut off after tear bytes.
func mixed(before, after []byte, blocks []int, tear int) []byte {
	out := slices.Clone(before)
	if n := len(after) - len(out); n > 0 {
		out = append(out, make([]byte, n)...)
	}
	for i, at := range blocks {
		n := 4096
		if i == len(blocks)-1 {
			n = tear
		}
		copy(out[at:at+n], after[at:at+n])
	}
	return out
}

// cutOffs is every state of the bbolt file that a power cut in a commit can leave: any of its
// pages while the first sync has not returned; then all of them, and the meta page torn anywhere.
func cutOffs(before, after []byte) [][]byte {
	var pages, metas []int
	for _, at := range changedBlocks(before, after) {
		if at < 8192 {
			metas = append(metas, at)
		} else {
			pages = append(pages, at)
		}
	}
	var states [][]byte
	for subset := range 1 << len(pages) {
		var some []int
		for i, at := range pages {
			if subset>>i&1 == 1 {
				some = append(some, at)
			}
		}
		states = append(states, mixed(before, after, some, 4096))
	}
	whole := mixed(before, after, pages, 4096)
	for tear := 0; tear <= 512; tear += 64 {
		states = append(states, mixed(whole, after, metas, tear))
	}
	return states
}

// Whatever part of a commit has reached the disk, in whatever order: everything acknowledged
// before is there, the chain holds, and the journal can be written to. And when the damage takes
// both of bbolt's meta pages along, the ring still tells every open story.
func TestEveryWayACommitCanBeCutOff(t *testing.T) {
	o := options(memoryDir(t))
	dir := memoryDir(t)
	cut := options(dir)
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	states := 0
	for commit := range 6 {
		for range 7 * commit {
			mustAppend(t, j, turns(j.Next(), 2)...)
		}
		acked := j.Last()
		journalBefore, ringBefore := readFile(t, o.Path), readFile(t, ringOf(o))
		mustAppend(t, j, turns(acked+1, 1+2*commit)...)
		journalAfter, ringAfter := readFile(t, o.Path), readFile(t, ringOf(o))
		slots := changedBlocks(ringBefore, ringAfter)
		rings := [][]byte{ringBefore, ringAfter}
		for tear := 512; tear < 4096; tear += 1536 {
			rings = append(rings, mixed(ringBefore, ringAfter, slots, tear))
		}
		for i, journal := range cutOffs(journalBefore, journalAfter) {
			for r, ring := range rings {
				states++
				writeFile(t, cut.Path, journal)
				writeFile(t, ringOf(cut), ring)
				copyFile(t, keyOf(o), keyOf(cut))
				k, err := store.Open(cut)
				if err != nil {
					t.Fatalf("commit %d, state %d, ring %d: %v", commit, i, r, err)
				}
				if got := k.Last(); got < acked || got > j.Last() {
					t.Fatalf("commit %d, state %d, ring %d: last %d, acknowledged %d, tried %d",
						commit, i, r, got, acked, j.Last())
				}
				if f := k.Facts(); f.Rebuilt != "" || f.NotCovered > 0 || len(f.Damaged) > 0 {
					t.Fatalf("commit %d, state %d, ring %d: %+v", commit, i, r, f)
				}
				wantSound(t, k)
				mustAppend(t, k, draft(1, store.MarkKeep, "goes on"))
				wantSound(t, k)
				mustClose(t, k)
			}
		}
		for _, ring := range rings {
			writeFile(t, ringOf(cut), ring)
			wantOpenStories(t, ringOf(cut), acked)
		}
	}
	t.Log(states, "states")
}

// wantOpenStories expects key 1 and everything acknowledged and open to be in the ring.
func wantOpenStories(t *testing.T, path string, acked uint64) {
	t.Helper()
	got, err := store.ReadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	seqs := make(map[uint64]bool)
	for _, e := range got.Entries {
		seqs[e.Seq] = true
	}
	if !seqs[1] || !seqs[acked] {
		t.Errorf("the ring lacks entry 1 or %d", acked)
	}
}

// On a full disk no new key is begun, open ones are finished, and a start after a failed write
// does without a copy.
func TestAFullDiskKeepsRoomForOpenKeys(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skip("may not mount a small disk: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	o := options(dir)
	j := mustOpen(t, o)
	writeFile(t, filepath.Join(dir, "other"), make([]byte, 1<<20))
	var err error
	for err == nil {
		_, err = j.Append(typical(j.Next(), store.MarkOpen))
	}
	wantErr(t, err, store.ErrFull)
	keys := j.OpenKeys()
	for _, k := range keys[:100] {
		mustAppend(t, j, typical(k, store.MarkClose))
	}
	mustClose(t, j)
	writeFile(t, o.Path+".suspect", nil) // its text does not fit any more
	j = mustOpen(t, o)
	if f := j.Facts(); f.Rebuilt == "" || f.Quarantine != "" {
		t.Errorf("facts: %+v", f)
	}
	if got := len(j.OpenKeys()); got != len(keys)-100 {
		t.Errorf("%d open keys, want %d", got, len(keys)-100)
	}
	mustAppend(t, j, typical(keys[100], store.MarkClose))
	wantSound(t, j)
	if err := os.Remove(filepath.Join(dir, "other")); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, typical(j.Next(), store.MarkOpen))
	if got, _ := filepath.Glob(o.Path + "*"); len(got) != 4 {
		t.Errorf("files: %v", got)
	}
}

// A disk that fails at every start must not be filled with copies of the same journal.
func TestOldJournalsAreKeptUpToANumber(t *testing.T) {
	o := settled(t)
	for n := range 7 {
		writeFile(t, o.Path+".suspect", nil)
		j := mustOpen(t, o)
		want := ""
		if n < 4 {
			want = fmt.Sprintf("%s.quarantine-%d", o.Path, n+1)
		}
		if got := j.Facts().Quarantine; got != want {
			t.Errorf("start %d: put aside as %q, want %q", n, got, want)
		}
		wantTexts(t, j, "1 1 a", "2 2 b", "3 2 c")
		mustClose(t, j)
	}
}

// Damage anywhere in the bbolt file, of any width, is an error or is mended: never a panic, never
// the end of the process, and never an entry that is not what was written.
func TestDamageAnywhereIsNeverAPanicAndNeverALie(t *testing.T) {
	o := options(memoryDir(t))
	j := mustOpen(t, o)
	for range 150 {
		mustAppend(t, j, turns(j.Next(), 2)...)
	}
	mustAppend(t, j, typical(j.Next(), store.MarkOpen))
	want, open := texts(t, j), j.OpenKeys()
	mustClose(t, j)
	whole := readFile(t, o.Path)
	ring := readFile(t, ringOf(o))
	end := len(bytes.TrimRight(whole, "\x00"))

	trials := 1500
	if testing.Short() {
		trials = 200
	}
	random := rand.New(rand.NewPCG(8814123, 1))
	counts := make(map[string]int)
	for trial := range trials {
		hurt := slices.Clone(whole)
		at := random.IntN(end)
		switch trial % 4 {
		case 0:
			hurt[at] ^= 1 << random.IntN(8)
		case 1:
			clear(hurt[at&^511:][:512])
		case 2:
			clear(hurt[at&^4095:][:4096])
		case 3:
			copy(hurt[at&^4095:][:4096], whole[random.IntN(end)&^4095:])
		}
		writeFile(t, o.Path, hurt)
		writeFile(t, ringOf(o), ring)
		counts[afterDamage(t, o, want)]++
		counts[secondStart(t, o, open)]++
		for _, pattern := range []string{".quarantine-*", ".suspect", ".new", ".closed"} {
			left, _ := filepath.Glob(o.Path + pattern)
			for _, f := range left {
				os.Remove(f)
			}
		}
	}
	t.Log(counts)
	if counts["unharmed"] == trials || counts["lie"] > 0 || counts["refused"] > 0 ||
		counts["proven at the third start"] != trials {
		t.Errorf("%v", counts)
	}
}

// secondStart comes after a check that has found what there is to find: from then on the journal
// proves itself, with a gap where neither file had an entry, and nothing open is missing.
func secondStart(t *testing.T, o store.Options, open []uint64) string {
	t.Helper()
	j, err := store.Open(o)
	if err != nil {
		return "no second start"
	}
	_, err = j.SelfCheck(t.Context(), func() {})
	j.Close()
	if err != nil {
		return "second check failed"
	}
	if j, err = store.Open(o); err != nil {
		return "no third start"
	}
	if diff := cmp.Diff(open, j.OpenKeys()); diff != "" {
		t.Errorf("open keys:\n%s", diff)
	}
	mustClose(t, j)
	wantProven(t, o)
	return "proven at the third start"
}

// afterDamage opens, reads, checks and writes, and says what came of it.
func afterDamage(t *testing.T, o store.Options, want []string) string {
	j, err := store.Open(o)
	if err != nil {
		return "refused"
	}
	defer j.Close()
	outcome := "unharmed"
	if j.Facts().Rebuilt != "" {
		outcome = "mended"
	}
	for from := uint64(1); from <= j.Last(); {
		es, err := j.Scan(from, 100)
		for _, e := range es {
			if got := fmt.Sprintf("%d %d %s", e.Seq, e.Key, e.Payload); got != want[e.Seq-1] {
				t.Errorf("entry %d is %q", e.Seq, got)
				return "lie"
			}
			from = e.Seq + 1
		}
		if err != nil {
			outcome = "error"
			from++
		} else if len(es) == 0 {
			return "error" // a hole at the end is for Verify to find
		}
	}
	each := func(store.Progress) error { return nil }
	if c, err := j.Verify(t.Context(), each); (err != nil || len(c.Faults) > 0) && outcome != "error" {
		outcome = "found by check"
	}
	for _, k := range j.OpenKeys() {
		j.Story(k)
	}
	if _, err := j.Append(draft(0, store.MarkKeep, "x")); err != nil {
		outcome = "dead"
	}
	return outcome
}
