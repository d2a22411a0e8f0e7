package faultsim_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"reversald/agent/faultsim"
)

// slice is what CI plays of each depth: fixed seeds, and as many fresh ones.
var slice = map[faultsim.Depth]uint64{faultsim.Core: 2000, faultsim.Real: 10}

// sales of one run.
const sales = 200

// TestThePromiseIsKept plays fixed seeds and fresh ones.
func TestThePromiseIsKept(t *testing.T) {
	for depth, runs := range slice {
		if testing.Short() {
			runs /= 4
		}
		for name, first := range map[string]uint64{
			"fixed": 1, "fresh": uint64(time.Now().UnixNano()),
		} {
			t.Run(depth.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				t.Logf("%d runs of %d sales from seed %d", runs, sales, first)
				var tally faultsim.Tally
				for seed := first; seed < first+runs; seed++ {
					r := play(t, faultsim.Options{
						Depth: depth, Seed: seed, Sales: sales, Faults: faultsim.AllFaults,
					})
					tally.Add(&r.Tally)
					if len(r.Violations) > 0 {
						short, _, err := faultsim.Shrink(r.Options)
						t.Fatalf("seed %d: %s\n%s\nmade short (%v):\n%s", seed,
							strings.Join(r.Violations, "\n"), faultsim.Command(r.Options), err,
							faultsim.Command(short))
					}
				}
				t.Logf("%d sales, %d receipts, %d reversals, %d lives", tally.Sales,
					tally.Receipts, tally.Reversals, tally.Lives)
				sees(t, depth, runs, &tally)
			})
		}
	}
}

// sees: a run in which nothing goes wrong proves nothing.
func sees(t *testing.T, depth faultsim.Depth, runs uint64, tally *faultsim.Tally) {
	t.Helper()
	if tally.Receipts < tally.Sales/4 || tally.Reversals == 0 || tally.Lives < 2*runs {
		t.Errorf("the shops hardly sell, or nothing happens to them: %+v", tally)
	}
	if depth != faultsim.Core || testing.Short() {
		return
	}
	for _, f := range faultsim.Faults() {
		if tally.Faults[f] == 0 {
			t.Errorf("%s never struck", f)
		}
	}
}

func play(t *testing.T, o faultsim.Options) faultsim.Result {
	t.Helper()
	r, err := faultsim.Play(o)
	if err != nil {
		t.Fatalf("seed %d: %v", o.Seed, err)
	}
	return r
}

// TestASeedIsARun: the same seed is the same run, event for event.
func TestASeedIsARun(t *testing.T) {
	for depth := faultsim.Core; depth <= faultsim.NextSale; depth++ {
		t.Run(depth.String(), func(t *testing.T) {
			t.Parallel()
			hashes := map[uint64]bool{}
			for seed := uint64(1); seed <= 5; seed++ {
				var first, second bytes.Buffer
				o := faultsim.Options{
					Depth: depth, Seed: seed, Sales: 100, Faults: faultsim.AllFaults, Out: &first,
				}
				a := play(t, o)
				o.Out = &second
				b := play(t, o)
				o.Out = nil
				c := play(t, o)
				if a.Hash != b.Hash || a.Hash != c.Hash || a.Tally != b.Tally {
					t.Errorf("seed %d: %x, %x and %x", seed, a.Hash, b.Hash, c.Hash)
				}
				if first.Len() == 0 || first.String() != second.String() {
					t.Errorf("seed %d: two transcripts", seed)
				}
				hashes[a.Hash] = true
			}
			if len(hashes) < 5 {
				t.Errorf("5 seeds are %d runs", len(hashes))
			}
		})
	}
}

// TestTheAuditorSees plants every defect there is and wants each found, by the rule it breaks.
func TestTheAuditorSees(t *testing.T) {
	says := map[faultsim.Defect]string{ // one of the things that are said about it
		faultsim.SendBeforeWrite: "orphan|goes before", faultsim.LateApprovalHeals: "orphan|goes before",
		faultsim.MatchBySTANAlone: "orphan|goes before", faultsim.DropAfterThree: "orphan|goes before",
		faultsim.SendAgain: "sent twice", faultsim.TrustPowerUp: "goes before|still open",
		faultsim.SalesFirst: "goes before", faultsim.YoungestFirst: "goes before",
		faultsim.TwoInFlight: "in flight", faultsim.ForgetStuck: "orphan|goes before",
		faultsim.DeafBank: "orphan", faultsim.LyingDisk: "orphan|goes before|sent twice|does not start",
		faultsim.DoubleLine: "sent twice", faultsim.ClearCard: "card data in the clear",
	}
	for _, depth := range []faultsim.Depth{faultsim.Core, faultsim.Real} {
		for _, defect := range faultsim.Defects(depth) {
			t.Run(fmt.Sprintf("%s %s", depth, defect), func(t *testing.T) {
				t.Parallel()
				runs := map[faultsim.Depth]uint64{faultsim.Core: 2000, faultsim.Real: 60}[depth]
				for seed := uint64(1); seed <= runs; seed++ {
					r := play(t, faultsim.Options{
						Depth: depth, Seed: seed, Sales: sales, Faults: faultsim.AllFaults,
						Plant: defect,
					})
					for _, said := range strings.Split(says[defect], "|") {
						if strings.Contains(strings.Join(r.Violations, "\n"), said) {
							t.Logf("found with seed %d: %s", seed, r.Violations[0])
							return
						}
					}
				}
				t.Errorf("not found in %d runs", runs)
			})
		}
	}
}

// TestShrinkMakesShort: what is short still fails, and the command says how.
func TestShrinkMakesShort(t *testing.T) {
	o := faultsim.Options{
		Depth: faultsim.Core, Sales: sales, Faults: faultsim.AllFaults, Plant: faultsim.DeafBank,
		Seed: 1,
	}
	short, runs, err := faultsim.Shrink(o)
	if err != nil {
		t.Fatal(err)
	}
	r := play(t, short)
	if len(r.Violations) == 0 || short.Sales > 50 || short.Faults == o.Faults {
		t.Errorf("after %d runs: %s, %v", runs, faultsim.Command(short), r.Violations)
	}
	if set, err := faultsim.ParseSet(short.Faults.String()); err != nil || set != short.Faults {
		t.Errorf("%s is read as %s, %v", short.Faults, set, err)
	}
	if _, err := faultsim.ParseSet("no-such"); err == nil {
		t.Error("an unknown fault is taken")
	}
	if !strings.Contains(faultsim.Command(short), "-plant deaf-bank") {
		t.Error(faultsim.Command(short))
	}
}

// TestWhatOthersDoLoses: the comparison's clients leave debits behind under the same faults; if they
// did not, the faults would be too kind to prove anything.
func TestWhatOthersDoLoses(t *testing.T) {
	for _, depth := range []faultsim.Depth{faultsim.Plain, faultsim.NextSale} {
		t.Run(depth.String(), func(t *testing.T) {
			t.Parallel()
			var bad, good faultsim.Tally
			for seed := uint64(1); seed <= 20; seed++ {
				o := faultsim.Options{
					Depth: depth, Seed: seed, Sales: sales, Faults: faultsim.AllFaults,
				}
				r := play(t, o)
				bad.Add(&r.Tally)
				o.Faults = 0
				r = play(t, o)
				good.Add(&r.Tally)
			}
			t.Logf("%d orphans of %d sales, %d without faults", bad.Orphans, bad.Sales,
				good.Orphans)
			if bad.Orphans == 0 || good.Orphans != 0 || good.Lost != 0 {
				t.Error("with faults it must lose, and without it must not")
			}
		})
	}
}
