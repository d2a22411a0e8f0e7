package main

import (
	"context"
	"fmt"
	"io"

	"reversald/agent/faultsim"
)

// compare plays the same seeds, and so the same weather, against what others do.
func compare(ctx context.Context, o order, out io.Writer) (bool, error) {
	runs := uint64(max(1, o.total/o.Sales))
	fmt.Fprintf(out, "seeds %d to %d, %d sales each\n\n", o.Seed, o.Seed+runs-1, o.Sales)
	fmt.Fprintf(out, "%-34s %8s %8s %16s %16s\n", "", "sales", "shown", "orphan debits",
		"lost approvals")
	fmt.Fprintf(out, "%-34s %8s %8s %16s %16s\n", "", "", "stuck", "per 10,000", "per 10,000")
	kept := true
	for _, line := range []struct {
		depth faultsim.Depth
		name  string
	}{
		{faultsim.Plain, "moov-io/iso8583, no journal"},
		{faultsim.NextSale, "journal, at the next sale, 3 tries"},
		{faultsim.Real, "reversald"},
	} {
		o.Depth = line.depth
		s, err := all(ctx, o, runs)
		if err != nil {
			return false, err
		}
		t, broken := &s.tally, s.broken
		per := func(n uint64) float64 { return float64(n) * 10_000 / float64(t.Sales) }
		fmt.Fprintf(out, "%-34s %8d %8d %16.1f %16.1f\n", line.name, t.Sales, t.Stuck,
			per(t.Orphans), per(t.Lost))
		if line.depth == faultsim.Real && len(broken) > 0 {
			kept = false
			fmt.Fprintf(out, "BROKEN: %s\n  %s\n", broken[0].Violations[0],
				faultsim.Command(broken[0].Options))
		}
	}
	fmt.Fprintln(out, "\nIn the window of the README (receipt in the hand as the power went) neither "+
		"is counted.\nWhat a line may do, and what each client does, is in agent/faultsim.")
	return kept, nil
}
