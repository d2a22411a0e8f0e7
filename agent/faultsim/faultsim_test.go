package faultsim_test

import (
	"os"
	"testing"

	"reversald/agent/faultsim"
)

func TestX(t *testing.T) {
	var tally faultsim.Tally
	bad := 0
	dir, _ := os.MkdirTemp("/dev/shm", "sim")
	defer os.RemoveAll(dir)
	for seed := uint64(1); seed < 600; seed++ {
		o := faultsim.Options{Depth: faultsim.Real, Seed: seed, Sales: 200, Faults: faultsim.AllFaults, Dir: dir}
		r, err := faultsim.Run(o)
		if err != nil {
			t.Fatal(err)
		}
		tally.Add(&r.Tally)
		if len(r.Violations) > 0 {
			t.Errorf("seed %d: %v", seed, r.Violations)
			if bad++; bad > 25 {
				break
			}
		}
	}
	t.Logf("%+v", tally)
}
