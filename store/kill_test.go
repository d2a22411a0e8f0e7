package store_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"reversald/store"
)

// The test binary is also the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_WRITER"); dir != "" {
		n, err := strconv.Atoi(os.Getenv("STORE_TEST_COMMITS"))
		if err == nil {
			err = writer(dir, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writer commits until it is killed, or n times, and tells of each entry once it may be relied
// on: "n SEQ" survives a KILL, "a SEQ" a power cut.
func writer(dir string, n int) error {
	j, err := store.Open(options(dir))
	if err != nil {
		return err
	}
	for i := 0; i != n; i++ {
		var ds []store.Draft
		for k := range 1 + i%3 {
			seq := j.Next() + uint64(k)
			ds = append(ds, store.Draft{
				Key: seq, Kind: 1, Mark: store.MarkOpen, Payload: payloadOf(seq), Secret: []byte("s"),
			})
		}
		if _, err := j.Append(ds...); err != nil {
			return err
		}
		fmt.Println("a", j.Last())
		for i := range ds {
			seq := j.Next()
			d := store.Draft{Key: ds[i].Key, Kind: 2, Mark: store.MarkClose, Payload: payloadOf(seq)}
			if _, err := j.Note(d); err != nil {
				return err
			}
			fmt.Println("n", seq)
		}
	}
	return j.Close()
}

// payloadOf differs in content and length from seq to seq.
func payloadOf(seq uint64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d;", seq), int(1+seq*7%97))
}

func startWriter(t *testing.T, dir string, commits int, wrap ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	args := append(wrap, os.Args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "STORE_TEST_WRITER="+dir, fmt.Sprint("STORE_TEST_COMMITS=", commits))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// Whatever was told of before the KILL is there afterwards, in order and whole, and at most the
// one commit and the one note that were on their way are there in addition.
func TestNothingToldIsLostToAKill(t *testing.T) {
	dir := t.TempDir()
	lives := 40
	if testing.Short() {
		lives = 5
	}
	for life := range lives {
		cmd, lines := startWriter(t, dir, -1)
		kill := time.AfterFunc(time.Duration(5+life*7%90)*time.Millisecond, func() { cmd.Process.Kill() })
		var told uint64
		for lines.Scan() {
			if _, n, ok := strings.Cut(lines.Text(), " "); ok {
				if seq, err := strconv.ParseUint(n, 10, 64); err == nil {
					told = max(told, seq)
				}
			}
		}
		cmd.Wait()
		kill.Stop()

		j := mustOpen(t, options(dir))
		if j.Last() < told || (told > 0 && j.Last() > told+4) {
			t.Fatalf("life %d: last is %d, told %d", life, j.Last(), told)
		}
		for from := uint64(1); from <= j.Last(); from += 500 {
			es, err := j.Scan(from, 500)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range es {
				if e.Seq != from+uint64(i) || !bytes.Equal(e.Payload, payloadOf(e.Seq)) {
					t.Fatalf("life %d: entry %d holds %q", life, e.Seq, e.Payload)
				}
			}
		}
		if f := j.Facts(); f.Rebuilt != "" || f.NotCovered != 0 {
			t.Errorf("life %d: %+v", life, f)
		}
		wantSound(t, j)
		mustClose(t, j)
	}
}

// Every commit is two syncs by bbolt and one by the ring, in steady state: now and then a step of
// growth adds one fsync.
func TestACommitIsThreeSyncs(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("no strace here")
	}
	syncs := func(commits int) (data, growth int) {
		dir := t.TempDir()
		mustClose(t, mustOpen(t, options(dir)))
		trace := filepath.Join(t.TempDir(), "trace")
		cmd, lines := startWriter(t, dir, commits,
			"strace", "-f", "-o", trace, "-e", "trace=fdatasync,fsync,sync_file_range,msync")
		for lines.Scan() {
			continue
		}
		if err := cmd.Wait(); err != nil {
			t.Skipf("strace does not work here: %v", err)
		}
		b, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		// An interrupted line is continued by one that says "resumed"; those have no "sync(".
		count := func(call string) int {
			return len(regexp.MustCompile(`\b`+call+`\(`).FindAll(b, -1))
		}
		if n := count("msync") + count("sync_file_range"); n != 0 {
			t.Errorf("%d syncs of other kinds", n)
		}
		return count("fdatasync"), count("fsync")
	}
	few, fewGrowth := syncs(20)
	more, moreGrowth := syncs(120)
	if more-few != 3*100 {
		t.Errorf("100 commits took %d syncs, want 300", more-few)
	}
	if moreGrowth-fewGrowth > 2 {
		t.Errorf("100 commits grew the file %d times", moreGrowth-fewGrowth)
	}
}
