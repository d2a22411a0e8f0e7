package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// floor is the physical limit of one durable step on this disk: one 4-KiB write into a zero-filled
// file, and one fdatasync.
type floor struct {
	file *os.File
	page []byte
	next int64
}

// floorBytes is the size of the file, written over again and again.
const floorBytes = 4 << 20

func openFloor(dir string) (*floor, error) {
	f, err := os.OpenFile(filepath.Join(dir, "floor"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(make([]byte, floorBytes)); err != nil {
		return nil, err
	}
	return &floor{file: f, page: make([]byte, 4096)}, f.Sync()
}

// step takes one durable step and says how long it took.
func (f *floor) step() (time.Duration, error) {
	f.page[0]++
	began := time.Now()
	if _, err := f.file.WriteAt(f.page, f.next); err != nil {
		return 0, err
	}
	err := syscall.Fdatasync(int(f.file.Fd()))
	took := time.Since(began)
	f.next = (f.next + 4096) % floorBytes
	return took, err
}

// floorProcess is `bench floor -dir D -n N`: the median step, in nanoseconds, measured by a process
// of its own, so that the same delay can be injected into its syncs as into the daemon's.
func floorProcess(args []string) int {
	set := flag.NewFlagSet("floor", flag.ExitOnError)
	dir := set.String("dir", ".", "where")
	n := set.Int("n", 200, "how many")
	_ = set.Parse(args)
	f, err := openFloor(*dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var all []time.Duration
	for range *n {
		took, err := f.step()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		all = append(all, took)
	}
	fmt.Println(median(all).Nanoseconds())
	return 0
}

func median(all []time.Duration) time.Duration { return quantile(all, 0.5) }

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
