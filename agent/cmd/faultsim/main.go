// Command faultsim plays sales against everything that can go wrong, and compares receipts with the
// bank's books. See package faultsim for what is real in it and what is not.
//
//	faultsim -depth core -sales 100000000          a fresh seed, printed
//	faultsim -depth real -seed 1 -sales 1000000    these seeds again
//	faultsim -transcript -depth real -seed 17 -sales 200
//	faultsim -compare -sales 100000
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"reversald/agent/faultsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
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
func run(ctx context.Context, args []string, out io.Writer) (bool, error) {
	o, err := parse(args)
	switch {
	case err != nil:
		return false, err
	case o.compare:
		return compare(ctx, o, out)
	case o.transcript:
		return one(o, out)
	}
	return many(ctx, o, out)
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

// many plays seed after seed, until an interrupt: what was played by then is reported.
func many(ctx context.Context, o order, out io.Writer) (bool, error) {
	runs := uint64(max(1, o.total/o.Sales))
	fmt.Fprintf(out, "%s: seeds %d to %d, %d sales each\n", o.Depth, o.Seed, o.Seed+runs-1, o.Sales)
	begun := time.Now()
	s, err := all(ctx, o, runs)
	if err != nil {
		return false, err
	}
	took, t, broken := time.Since(begun), &s.tally, s.broken
	report(out, t)
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

// sum is what many runs came to.
type sum struct {
	mu     sync.Mutex // guards all below: the workers add to it
	next   uint64
	tally  faultsim.Tally
	broken []faultsim.Result
	failed error
}

// take is the number of the next run; false: there is none.
func (s *sum) take(ctx context.Context, runs uint64) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.next
	s.next++
	return n, n < runs && s.failed == nil && len(s.broken) < brokenMax && ctx.Err() == nil
}

func (s *sum) add(r faultsim.Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Add(&r.Tally)
	if err != nil {
		s.failed = err
	}
	if len(r.Violations) > 0 {
		s.broken = append(s.broken, r)
	}
}

// all plays runs on several workers.
func all(ctx context.Context, o order, runs uint64) (*sum, error) {
	var s sum
	var workers sync.WaitGroup
	for range o.workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n, more := s.take(ctx, runs); more; n, more = s.take(ctx, runs) {
				run := o.Options
				run.Seed = o.Seed + n
				s.add(faultsim.Play(run))
			}
		}()
	}
	workers.Wait()
	return &s, s.failed
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
