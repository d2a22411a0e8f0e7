package faultsim_test

import (
	"testing"

	"reversald/agent/faultsim"
)

func TestX(t *testing.T) {
	for _, d := range faultsim.Defects(faultsim.Core) {
		n := 0
		first := ""
		for seed := uint64(1); seed < 400; seed++ {
			o := faultsim.Options{Depth: faultsim.Core, Seed: seed, Sales: 300, Faults: faultsim.AllFaults, Plant: d}
			r, err := faultsim.Run(o)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Violations) > 0 {
				n++
				if first == "" {
					first = r.Violations[0]
				}
			}
		}
		t.Logf("%-25s %d of 400: %s", d, n, first)
	}
}
