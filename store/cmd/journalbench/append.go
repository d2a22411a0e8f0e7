package main

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"reversald/store"
)

// Payloads of the three entries of a sale, in bytes, and the sealed card of the first: what the
// daemon writes for a sale of iso87-ascii.
const (
	askedBytes, approvedBytes, confirmedBytes = 397, 108, 2
	cardBytes                                 = 23
)

var (
	payloads = [3][]byte{
		make([]byte, askedBytes), make([]byte, approvedBytes), make([]byte, confirmedBytes),
	}
	card = make([]byte, cardBytes)
)

func asked(key uint64, at time.Time) store.Draft {
	return store.Draft{
		Key: key, Kind: 1, Mark: store.MarkOpen, Wall: at, Payload: payloads[0], Secret: card,
	}
}

func approved(key uint64, at time.Time) store.Draft {
	return store.Draft{Key: key, Kind: 3, Mark: store.MarkOpen, Wall: at, Payload: payloads[1]}
}

func confirmed(key uint64, at time.Time) store.Draft {
	return store.Draft{Key: key, Kind: 5, Mark: store.MarkClose, Wall: at, Payload: payloads[2]}
}

func openJournal(dir string, size int64) (*store.Journal, error) {
	return store.Open(store.Options{
		Path: filepath.Join(dir, "journal.db"), AnyFilesystem: true, SizeMax: size,
	})
}

// barrier is the yardstick: a block written over zeros that are already there, and synced.
type barrier struct {
	file  *os.File
	block [4096]byte
	n     int64
}

const barrierBlocks = 1024

func openBarrier(dir string) (*barrier, error) {
	f, err := os.Create(filepath.Join(dir, "barrier"))
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(make([]byte, barrierBlocks*4096)); err != nil {
		return nil, err
	}
	return &barrier{file: f}, f.Sync()
}

func (b *barrier) step() error {
	b.n++
	b.block[0]++
	if _, err := b.file.WriteAt(b.block[:], b.n%barrierBlocks*4096); err != nil {
		return err
	}
	return syscall.Fdatasync(int(b.file.Fd()))
}

// ratio is one append in two barriers, by turns, at the median.
func ratio(j *store.Journal, y *barrier, n int) (float64, error) {
	var ours, theirs []time.Duration
	now := time.Unix(1_700_000_000, 0)
	for i := range n {
		d := asked(j.Next(), now)
		if i%2 == 1 {
			d = approved(j.Last(), now)
			d.Mark = store.MarkClose
		}
		began := time.Now()
		if _, err := j.Append(d); err != nil {
			return 0, err
		}
		ours = append(ours, time.Since(began))
		began = time.Now()
		for range 2 {
			if err := y.step(); err != nil {
				return 0, err
			}
		}
		theirs = append(theirs, time.Since(began))
	}
	return float64(median(ours)) / float64(median(theirs)), nil
}

// appends measures one durable append with 1,000 payments on file and with 100,000, by turns.
func appends(_ options, dir string) error {
	const rounds, each = 5, 300
	var journals [2]*store.Journal
	for i, payments := range []int{1000, 100_000} {
		place := filepath.Join(dir, []string{"few", "many"}[i])
		if err := os.Mkdir(place, 0o700); err != nil {
			return err
		}
		j, err := openJournal(place, 512<<20)
		if err != nil {
			return err
		}
		defer j.Close()
		for range payments / 50 {
			if err := sell(j, time.Unix(1_700_000_000, 0), 50); err != nil {
				return err
			}
		}
		journals[i] = j
	}
	y, err := openBarrier(dir)
	if err != nil {
		return err
	}
	var all [2][]float64
	for range rounds {
		for i, j := range journals {
			r, err := ratio(j, y, each)
			if err != nil {
				return err
			}
			all[i] = append(all[i], r)
		}
	}
	few, many := middle(all[0]), middle(all[1])
	report("append_p50", few, "two_floor_steps", 1.3)
	report("append_p50_at_100000", many, "two_floor_steps", 0)
	report("append_growth_1000_to_100000", many/few, "ratio", 1.2)
	return nil
}

// sell writes n sales in three commits.
func sell(j *store.Journal, at time.Time, n int) error {
	first := j.Next()
	for step := range 3 {
		ds := make([]store.Draft, n)
		for i := range ds {
			key := first + uint64(i)
			ds[i] = []store.Draft{asked(key, at), approved(key, at), confirmed(key, at)}[step]
		}
		if _, err := j.Append(ds...); err != nil {
			return err
		}
	}
	return nil
}
