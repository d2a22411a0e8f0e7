package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"reversald/store"
)

// openAt opens a journal in dir, on whatever file system that is.
func openAt(tb testing.TB, dir string) *store.Journal {
	tb.Helper()
	j, err := store.Open(store.Options{Path: filepath.Join(dir, "journal.db"), AnyFilesystem: true})
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

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
	if _, err := f.WriteAt(make([]byte, 4<<20), 0); err != nil {
		tb.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		tb.Fatal(err)
	}
	return &barrier{file: f}
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

// BenchmarkAppend measures one commit against two barriers, step by step in the same loop.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 8, 64} {
		b.Run("drafts="+string(rune('0'+batch/10))+string(rune('0'+batch%10)), func(b *testing.B) {
			dir := b.TempDir()
			j := openAt(b, dir)
			defer j.Close()
			y := newBarrier(b, dir)
			var appends, barriers []time.Duration
			for b.Loop() {
				ds := make([]store.Draft, batch)
				for i := range ds {
					k := j.Next() + uint64(i)
					if i%2 == 0 {
						ds[i] = typical(k, store.MarkOpen)
					} else {
						ds[i] = typical(k-1, store.MarkClose)
					}
				}
				if batch == 1 && j.Next()%2 == 0 {
					ds[0] = typical(j.Next()-1, store.MarkClose)
				}
				t := time.Now()
				if _, err := j.Append(ds...); err != nil {
					b.Fatal(err)
				}
				appends = append(appends, time.Since(t))
				t = time.Now()
				y.step(b)
				y.step(b)
				barriers = append(barriers, time.Since(t))
			}
			b.ReportMetric(float64(median(appends))/float64(median(barriers)), "append/2F")
			b.ReportMetric(float64(median(appends).Microseconds()), "append-µs")
			b.ReportMetric(float64(median(barriers).Microseconds()), "2F-µs")
		})
	}
}
