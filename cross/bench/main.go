// Command bench measures what the promise costs, with real processes on this machine, and prints
// one figure a line: name, value, unit, goal, and ok or short.
//
// Every figure that depends on the disk is a ratio to one fdatasync measured in the same run, as
// machines are noisy and terminals are slow in their own ways. It imports nothing of reversald: it
// starts the same binaries that ship, speaks ISO 8583 to them, and looks from outside.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// options are what a run is given.
type options struct {
	reversald  string // the command line of the daemon, split at spaces
	acquirerd  string
	dir        string // where the journal lies: the disk that is measured
	sales      int
	payments   int // closed payments on file for the start-up figures
	short      bool
	only       string // the one part to measure; empty: all
	dropCaches bool
	linger     time.Duration // how long a confirm may wait for the next sale's commit
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		os.Exit(floorProcess(os.Args[2:]))
	}
	doors := map[string]func(o options, dir string) error{"api": apiDoor, "iso": isoDoor}
	if len(os.Args) > 1 && doors[os.Args[1]] != nil {
		os.Exit(doorProcess(os.Args[1], doors[os.Args[1]], os.Args[2:]))
	}
	var o options
	flag.StringVar(&o.reversald, "reversald", "bin/reversald", "the daemon")
	flag.StringVar(&o.acquirerd, "acquirerd", "bin/acquirerd", "the host")
	flag.StringVar(&o.dir, "dir", "bin", "a folder on the disk to measure")
	flag.IntVar(&o.sales, "sales", 1500, "sales for the latency figures")
	flag.IntVar(&o.payments, "payments", 100000, "closed payments on file for the start-up figures")
	flag.DurationVar(&o.linger, "linger", 5*time.Millisecond,
		"how long a confirm may wait for the next sale's commit (the default of the daemon)")
	flag.BoolVar(&o.dropCaches, "drop-caches", false,
		"for the cold start empty the page cache of the whole machine, as root")
	flag.BoolVar(&o.short, "short", false, "leave the slow parts out")
	flag.StringVar(&o.only, "only", "", "measure this part alone: follow, \"link back\" ...")
	flag.Parse()
	if err := measure(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure runs every part, each in a folder of its own, and prints as it goes.
func measure(o options) error {
	root, err := os.MkdirTemp(o.dir, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	parts := []struct {
		name string
		slow bool
		run  func(options, string) error
	}{
		{"latency", false, latency},
		{"slow disk", true, slowDisk},
		{"syncs", true, syncs},
		{"link back", false, linkBack},
		{"follow", false, follow},
		{"flash", true, flash},
		{"at rest", false, atRest},
		{"start", true, start},
	}
	measured := 0
	for _, part := range parts {
		if part.slow && o.short || o.only != "" && o.only != part.name {
			continue
		}
		measured++
		dir := filepath.Join(root, filepath.Base(filepath.Clean(part.name)))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := part.run(o, dir); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		_ = os.RemoveAll(dir)
	}
	if measured == 0 {
		return fmt.Errorf("there is no part %q to measure", o.only)
	}
	return nil
}

// report prints one figure. A goal of 0 is none: the figure is there to be known.
func report(name string, value float64, unit string, goal float64) {
	verdict, bound := "ok", "none"
	if goal != 0 {
		bound = fmt.Sprintf("<=%g", goal)
		if value > goal {
			verdict = "short"
		}
	}
	fmt.Printf("%s %.3f %s %s %s\n", name, value, unit, bound, verdict)
}

// reportExact prints a count that must be one number.
func reportExact(name string, value float64, unit string, goal float64) {
	verdict := "ok"
	if value != goal {
		verdict = "short"
	}
	fmt.Printf("%s %.3f %s =%g %s\n", name, value, unit, goal, verdict)
}
