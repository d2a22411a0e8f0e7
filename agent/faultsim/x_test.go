package faultsim_test

import (
	"os"
	"reversald/agent/faultsim"
	"strconv"
	"testing"
)

func TestOne(t *testing.T) {
	f, _ := os.Create("/dev/shm/out.txt")
	defer f.Close()
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	dir, _ := os.MkdirTemp("/dev/shm", "one")
	defer os.RemoveAll(dir)
	r, _ := faultsim.Run(faultsim.Options{Depth: faultsim.Real, Seed: seed, Sales: 200, Faults: faultsim.AllFaults, Out: f, Dir: dir})
	t.Log(r.Violations)
}
