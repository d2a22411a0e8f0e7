package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"reversald/store"
)

// typical is an entry as the agent writes it: what a reversal needs, and a sealed card.
func typical(key uint64, mark store.Mark) store.Draft {
	return store.Draft{
		Key: key, Kind: 1, Mark: mark, Wall: time.Unix(1700000000, 0), Mono: time.Hour,
		Payload: slices.Repeat([]byte(`{"field":"1234"},`), 24), // 408 bytes
		Secret:  []byte("4111111111111111=2912/padding."),       // 30 bytes
	}
}

// barrier is the yardstick: one block written over zeros that are already there, and synced.
type barrier struct {
	file  *os.File
	block [4096]byte
	n     int64
}

func newBarrier(tb testing.TB, dir string) *barrier {
	tb.Helper()
	f, err := os.Create(filepath.Join(dir, "barrier"))
	if err != nil {
		tb.Fatal(err)
	}
	b := &barrier{file: f}
	for at := range int64(1024) {
		if _, err := f.WriteAt(b.block[:], at*4096); err != nil {
			tb.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		tb.Fatal(err)
	}
	return b
}

func (b *barrier) step(tb testing.TB) {
	b.n++
	b.block[0]++
	if _, err := b.file.WriteAt(b.block[:], b.n%1024*4096); err != nil {
		tb.Fatal(err)
	}
	if err := syscall.Fdatasync(int(b.file.Fd())); err != nil {
		tb.Fatal(err)
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// written is what this process has passed to write calls so far.
func written(tb testing.TB) (calls, bytes int64) {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		tb.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "syscw: %d", &calls)
		fmt.Sscanf(line, "wchar: %d", &bytes)
	}
	return calls, bytes
}

// BenchmarkAppend measures one commit against two barriers, by turns in the same loop, and what
// it writes. Half of the drafts open a key, half close one.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("drafts=%d", batch), func(b *testing.B) {
			j := mustOpen(b, options(b.TempDir()))
			y := newBarrier(b, b.TempDir())
			var appends, barriers []time.Duration
			calls, bytes := written(b)
			for b.Loop() {
				ds := turns(j.Next(), batch)
				t := time.Now()
				mustAppend(b, j, ds...)
				appends = append(appends, time.Since(t))
				t = time.Now()
				y.step(b)
				y.step(b)
				barriers = append(barriers, time.Since(t))
			}
			moreCalls, moreBytes := written(b)
			n := float64(b.N)
			b.ReportMetric(float64(moreCalls-calls)/n-2, "writes/op")
			b.ReportMetric(float64(moreBytes-bytes)/n-2*4096, "written-B/op")
			b.ReportMetric(float64(median(appends))/float64(median(barriers)), "append/2F")
			b.ReportMetric(float64(median(appends).Microseconds()), "append-µs")
			b.ReportMetric(float64(median(barriers).Microseconds()), "2F-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// turns is n drafts from seq next on that open a key and close it, by turns.
func turns(next uint64, n int) []store.Draft {
	ds := make([]store.Draft, n)
	for i := range ds {
		seq := next + uint64(i)
		ds[i] = typical(seq, store.MarkOpen)
		if seq%2 == 0 {
			ds[i] = typical(seq-1, store.MarkClose)
		}
	}
	return ds
}
