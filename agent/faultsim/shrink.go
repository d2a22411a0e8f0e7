package faultsim

import (
	"fmt"
	"os"
	"strings"
)

// Shrink makes a failing run short: fewer sales, fewer kinds of fault, fewer faults, as long as it
// still fails. It returns the options of the shortest run found, and how many runs that took.
func Shrink(o Options) (short Options, runs int, err error) {
	o.Out = nil
	fails := func(o Options) (Result, bool) {
		if err != nil {
			return Result{}, false
		}
		runs++
		var r Result
		r, err = Play(o)
		return r, err == nil && len(r.Violations) > 0
	}
	r, bad := fails(o)
	if !bad {
		return o, runs, err
	}
	try := func(next Options) bool {
		again, bad := fails(next)
		if bad {
			o, r = next, again
		}
		return bad
	}
	for again := true; again && err == nil; {
		again = false
		next := o
		if next.Sales = int(r.Sales); next.Sales < o.Sales {
			again = try(next)
		}
		for cut := o.Sales / 2; cut > 0; cut /= 2 {
			next = o
			if next.Sales -= cut; next.Sales > 0 && try(next) {
				again = true
			}
		}
		for _, f := range Faults() {
			next = o
			if next.Faults = o.Faults.Without(f); next.Faults != o.Faults && try(next) {
				again = true
			}
		}
	}
	for step := struck(&r.Tally); step > 0 && err == nil; step /= 2 {
		next := o
		if next.FaultsMax = struck(&r.Tally) - step; next.FaultsMax > 0 {
			try(next)
		}
	}
	return o, runs, err
}

// struck is how many faults there were.
func struck(t *Tally) int {
	n := uint64(0)
	for _, f := range t.Faults {
		n += f
	}
	return int(n)
}

// Play is Run, in a folder of its own where the depth needs one.
func Play(o Options) (Result, error) {
	if o.Depth == Real {
		dir, err := Folder()
		if err != nil {
			return Result{}, err
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	}
	return Run(o)
}

// Folder makes a folder for the files of a run, in memory where there is a place for that. Whoever
// asked for it removes it.
func Folder() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "faultsim-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "faultsim-")
}

// Command is what replays a run, event by event.
func Command(o Options) string {
	parts := []string{
		"go run ./agent/cmd/faultsim -transcript -depth " + o.Depth.String(),
		fmt.Sprintf("-seed %d -sales %d", o.Seed, o.Sales),
	}
	if o.Faults != AllFaults {
		parts = append(parts, "-faults "+o.Faults.String())
	}
	if o.FaultsMax != 0 {
		parts = append(parts, fmt.Sprintf("-faults-max %d", o.FaultsMax))
	}
	if o.Plant != NoDefect {
		parts = append(parts, "-plant "+o.Plant.String())
	}
	return strings.Join(parts, " ")
}
