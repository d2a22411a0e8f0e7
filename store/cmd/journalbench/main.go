// Command journalbench measures the journal by itself, against the disk it lies on and against what
// else one could have used, and prints one figure a line: name, value, unit, goal, and ok or short.
//
// Everything is a ratio to something that was measured on the same disk in the same run, by turns.
// A sale is three entries, as the daemon writes them: asked and approved, which somebody waits for,
// and confirmed, which is noted and goes with the next commit.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// options are what a run is given.
type options struct {
	dir    string
	sqlite string        // the program to compare with; empty: leave it out
	lasts  time.Duration // of each comparison
	year   bool          // show a year too
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "bin", "a folder on the disk to measure")
	flag.StringVar(&o.sqlite, "sqlite", "", "the program that writes the same into SQLite")
	flag.DurationVar(&o.lasts, "for", 2*time.Second, "how long each comparison lasts")
	flag.BoolVar(&o.year, "year", false, "a year of 500 sales a day, and nothing else")
	flag.Parse()
	if err := measure(o); err != nil {
		fmt.Fprintln(os.Stderr, "journalbench:", err)
		os.Exit(1)
	}
}

func measure(o options) error {
	root, err := os.MkdirTemp(o.dir, "journalbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	parts := []func(options, string) error{appends, together, flash}
	if o.year {
		parts = []func(options, string) error{year}
	}
	for i, part := range parts {
		dir := filepath.Join(root, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if err := part(o, dir); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// report prints a figure that must not be more than its goal; 0 is no goal.
func report(name string, value float64, unit string, goal float64) {
	verdict, bound := "ok", "none"
	if goal != 0 {
		bound = fmt.Sprintf("<=%g", goal)
		if value > goal {
			verdict = "short"
		}
	}
	fmt.Fprintf(os.Stdout, "%s %.3f %s %s %s\n", name, value, unit, bound, verdict)
}

// reportLeast prints a figure that must not be less.
func reportLeast(name string, value float64, unit string, goal float64) {
	verdict := "ok"
	if value < goal {
		verdict = "short"
	}
	fmt.Fprintf(os.Stdout, "%s %.3f %s >=%g %s\n", name, value, unit, goal, verdict)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
