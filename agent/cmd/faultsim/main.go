// Command faultsim plays sales against everything that can go wrong, and compares receipts with the
// bank's books. See package faultsim for what is real in it and what is not.
//
//	faultsim -depth core -sales 100000000          a fresh seed, printed
//	faultsim -depth real -seed 1 -sales 1000000    these seeds again
//	faultsim -transcript -depth real -seed 17 -sales 200
//	faultsim -compare -sales 100000
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"reversald/agent/faultsim"
)

func main() {
	ok, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faultsim:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// order is what was asked for.
type order struct {
	faultsim.Options
	total      int // sales in all
	perRun     int
	transcript bool
	compare    bool
	workers    int
}

func parse(args []string) (order, error) {
	var o order
	var depth, faults, plant string
	flags := flag.NewFlagSet("faultsim", flag.ContinueOnError)
	flags.StringVar(&depth, "depth", "core", "core, real, plain or next-sale")
	flags.Uint64Var(&o.Seed, "seed", 0, "the first seed; 0: a fresh one")
	flags.IntVar(&o.total, "sales", 1_000_000, "sales in all")
	flags.IntVar(&o.perRun, "per-run", 200, "sales of one run, that is, of one seed")
	flags.StringVar(&faults, "faults", "all", "which may strike, by name")
	flags.IntVar(&o.FaultsMax, "faults-max", 0, "no fault strikes after so many; 0: no limit")
	flags.StringVar(&plant, "plant", "none", "a defect put in on purpose")
	flags.BoolVar(&o.transcript, "transcript", false, "one run, a line for every event")
	flags.BoolVar(&o.compare, "compare", false, "the same faults against what others do")
	flags.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "runs at the same time")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.Depth, err = faultsim.ParseDepth(depth); err != nil {
		return o, err
	}
	if o.Plant, err = faultsim.ParseDefect(plant); err != nil {
		return o, err
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	o.Sales = o.perRun
	if o.transcript || o.total < o.perRun {
		o.Sales = o.total
	}
	o.Faults, err = faultsim.ParseSet(faults)
	return o, err
}

// run is false when a promise was broken.
func run(args []string, out io.Writer) (bool, error) {
	o, err := parse(args)
	switch {
	case err != nil:
		return false, err
	case o.compare:
		return compare(o, out)
	case o.transcript:
		return one(o, out)
	}
	return many(o, out)
}

// one plays one run, line by line.
func one(o order, out io.Writer) (bool, error) {
	o.Out = out
	r, err := faultsim.Play(o.Options)
	if err != nil {
		return false, err
	}
	for _, v := range r.Violations {
		fmt.Fprintln(out, "BROKEN", v)
	}
	fmt.Fprintf(out, "%d sales, %d receipts, %d debits; transcript %016x\n",
		r.Tally.Sales, r.Receipts, r.Debits, r.Hash)
	return len(r.Violations) == 0, nil
}

// many plays seed after seed.
func many(o order, out io.Writer) (bool, error) {
	runs := uint64(max(1, o.total/o.Sales))
	fmt.Fprintf(out, "%s: seeds %d to %d, %d sales each\n", o.Depth, o.Seed, o.Seed+runs-1, o.Sales)
	begun := time.Now()
	t, broken, err := all(o, runs)
	if err != nil {
		return false, err
	}
	took := time.Since(begun)
	report(out, &t)
	fmt.Fprintf(out, "%.0f sales/s on %d workers, %s\n",
		float64(t.Sales)/took.Seconds(), o.workers, took.Round(time.Second))
	for _, r := range broken {
		fmt.Fprintf(out, "\nBROKEN with seed %d: %s\n  %s\n", r.Options.Seed, r.Violations[0],
			faultsim.Command(r.Options))
	}
	if len(broken) == 0 {
		return true, nil
	}
	short, n, err := faultsim.Shrink(broken[0].Options)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "\nthe first, made short in %d runs:\n  %s\n", n, faultsim.Command(short))
	return false, nil
}

// brokenMax: what fails so often needs no more examples.
const brokenMax = 10

// all plays runs on several workers.
func all(o order, runs uint64) (faultsim.Tally, []faultsim.Result, error) {
	var mu sync.Mutex // guards the three below
	var tally faultsim.Tally
	var broken []faultsim.Result
	var failed error
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range o.workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				n := next.Add(1) - 1
				mu.Lock()
				stop := n >= runs || failed != nil || len(broken) >= brokenMax
				mu.Unlock()
				if stop {
					return
				}
				run := o.Options
				run.Seed = o.Seed + n
				r, err := faultsim.Play(run)
				mu.Lock()
				tally.Add(&r.Tally)
				if err != nil {
					failed = fmt.Errorf("seed %d: %w", run.Seed, err)
				}
				if len(r.Violations) > 0 {
					broken = append(broken, r)
				}
				mu.Unlock()
			}
		}()
	}
	workers.Wait()
	return tally, broken, failed
}

// report prints what was counted.
func report(out io.Writer, t *faultsim.Tally) {
	fmt.Fprintf(out, `
  sales rung up                %12d
  requests that left           %12d
  reversals that left          %12d
  receipts in the end          %12d
  debits in the end            %12d
  debits left behind           %12d
  approved sales lost          %12d
  stuck, and shown             %12d
  receipt in the hand as the power went, before it was on file
    (the window of the README) %12d
  lives of the terminal        %12d
  events                       %12d
  simulated hours              %12.0f

  told to the till
`, t.Sales, t.Requests, t.Reversals, t.Receipts, t.Debits, t.Orphans, t.Lost, t.Stuck, t.Window,
		t.Lives, t.Events, t.Virtual.Hours())
	for i, name := range faultsim.ToldNames {
		fmt.Fprintf(out, "    %-26s %12d\n", name, t.Told[i])
	}
	fmt.Fprintf(out, "\n  faults\n")
	for _, f := range faultsim.Faults() {
		fmt.Fprintf(out, "    %-26s %12d\n", f, t.Faults[f])
	}
}
