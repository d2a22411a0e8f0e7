package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

// ratio appends one draft and syncs two barriers, n times by turns, and reports what one is in the
// other, at the median.
func ratio(b *testing.B, j *store.Journal, y *barrier, n int) float64 {
	b.Helper()
	var appends, barriers []time.Duration
	for range n {
		t := time.Now()
		mustAppend(b, j, turns(j.Next(), 1)...)
		appends = append(appends, time.Since(t))
		t = time.Now()
		y.step(b)
		y.step(b)
		barriers = append(barriers, time.Since(t))
	}
	return float64(median(appends)) / float64(median(barriers))
}

// BenchmarkAppendToAFull measures the same with many payments on file: it must not grow with them.
func BenchmarkAppendToAFull(b *testing.B) {
	for _, payments := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("payments=%d", payments), func(b *testing.B) {
			o := options(b.TempDir())
			o.SizeMax = 512 << 20
			j := mustOpen(b, o)
			for range payments / 20 {
				batchOfSales(b, j, 0, 20)
			}
			y := newBarrier(b, b.TempDir())
			ratio(b, j, y, 100)
			_, before := written(b)
			for b.Loop() {
				b.ReportMetric(ratio(b, j, y, 500), "append/2F")
			}
			_, after := written(b)
			b.ReportMetric(float64(after-before)/float64(b.N)/500-2*4096, "written-B/append")
			b.ReportMetric(0, "ns/op")
			mustClose(b, j)
			t := time.Now()
			mustClose(b, mustOpen(b, o))
			b.ReportMetric(float64(time.Since(t).Microseconds()), "reopen-µs")
		})
	}
}

// BenchmarkSales lets apps sell at once, each waiting for two of the three entries of a sale, as the
// agent does: one goroutine writes, and whatever waits shares a commit.
func BenchmarkSales(b *testing.B) {
	for _, apps := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("apps=%d", apps), func(b *testing.B) {
			o := options(b.TempDir())
			o.SizeMax = 512 << 20 // nothing is forgotten meanwhile
			j := mustOpen(b, o)
			_, before := written(b)
			commits, start := 0, time.Now()
			for b.Loop() {
				commits += sellAtOnce(b, j, apps, 10)
			}
			_, after := written(b)
			sales := float64(b.N * apps * 10)
			b.ReportMetric(float64(commits)/sales, "commits/sale")
			b.ReportMetric(float64(after-before)/sales, "written-B/sale")
			b.ReportMetric(sales/time.Since(start).Seconds(), "sales/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// order is a draft that an app wants written; key 0 takes the number of its entry.
type order struct {
	key  uint64
	mark store.Mark
	done chan uint64
}

// sellAtOnce lets each app sell n times, and returns how many commits that took.
func sellAtOnce(b *testing.B, j *store.Journal, apps, n int) (commits int) {
	b.Helper()
	inbox := make(chan order, apps)
	var selling sync.WaitGroup
	for range apps {
		selling.Add(1)
		go func() {
			defer selling.Done()
			for range n {
				o := order{mark: store.MarkOpen, done: make(chan uint64, 1)}
				inbox <- o
				o.key = <-o.done
				inbox <- o
				<-o.done
				inbox <- order{key: o.key, mark: store.MarkClose}
			}
		}()
	}
	go func() { selling.Wait(); close(inbox) }()
	for o := range inbox {
		batch := []order{o}
		for len(inbox) > 0 {
			batch = append(batch, <-inbox)
		}
		commits += write(b, j, batch)
	}
	if err := j.Flush(); err != nil {
		b.Fatal(err)
	}
	return commits
}

// write notes what nobody waits for and, if anybody waits, commits all of it.
func write(b *testing.B, j *store.Journal, batch []order) (commits int) {
	b.Helper()
	var ds []store.Draft
	for i := range batch {
		if batch[i].mark == store.MarkClose {
			if _, err := j.Note(typical(batch[i].key, store.MarkClose)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for i := range batch {
		if batch[i].done != nil {
			if batch[i].key == 0 {
				batch[i].key = j.Next() + uint64(len(ds))
			}
			ds = append(ds, typical(batch[i].key, store.MarkOpen))
		}
	}
	if len(ds) == 0 {
		return 0
	}
	mustAppend(b, j, ds...)
	for _, o := range batch {
		if o.done != nil {
			o.done <- o.key
		}
	}
	return 1
}

// BenchmarkYear is a year of 500 sales a day under the ceiling of 64 MiB, closed ones forgotten as
// they have to be: how an append compares at its beginning and at its end, and how large it gets.
func BenchmarkYear(b *testing.B) {
	for b.Loop() {
		o := options(b.TempDir())
		j := mustOpen(b, o)
		y := newBarrier(b, b.TempDir())
		batchOfSales(b, j, 0, 20)
		first, peak := ratio(b, j, y, 1000), int64(0)
		for day := range 365 {
			for range 25 {
				batchOfSales(b, j, day, 20)
			}
			forgetAll(b, j, day0.AddDate(0, 0, day), store.Retention{})
			peak = max(peak, j.Facts().Size)
		}
		b.ReportMetric(first, "append/2F-first")
		b.ReportMetric(ratio(b, j, y, 1000), "append/2F-last")
		b.ReportMetric(float64(peak)/(1<<20), "MiB-max")
		b.ReportMetric(float64(j.Facts().Payments), "payments-kept")
		mustClose(b, j)
		t := time.Now()
		mustClose(b, mustOpen(b, o))
		b.ReportMetric(float64(time.Since(t).Microseconds()), "reopen-µs")
	}
	b.ReportMetric(0, "ns/op")
}
