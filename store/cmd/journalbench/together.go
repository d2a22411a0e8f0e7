package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reversald/store"
)

func middle(all []float64) float64 {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// result is what some apps at once came to.
type result struct {
	sales   float64 // a second
	commits float64 // a sale
	p50     time.Duration
}

// order is an entry that an app wants written. Nobody waits where done is nil.
type order struct {
	key  uint64 // 0: that of the entry itself
	step int    // 0 asked, 1 approved, 2 confirmed
	done chan uint64
}

// writer makes a batch of orders durable, answers them, and says how many commits that took.
type writer func(batch []order) (commits int, err error)

// sellAtOnce lets apps sell for a while. One goroutine writes, and whatever waits shares a commit.
func sellAtOnce(apps int, lasts time.Duration, write writer) (result, error) {
	inbox := make(chan order, apps)
	took := make([][]time.Duration, apps)
	var sales atomic.Int64
	var selling sync.WaitGroup
	var stop atomic.Bool
	began := time.Now()
	for i := range apps {
		selling.Add(1)
		go func() {
			defer selling.Done()
			for time.Since(began) < lasts && !stop.Load() {
				o := order{done: make(chan uint64, 1)}
				for o.step = range 2 {
					at := time.Now()
					inbox <- o
					o.key = <-o.done
					took[i] = append(took[i], time.Since(at))
				}
				inbox <- order{key: o.key, step: 2}
				sales.Add(1)
			}
		}()
	}
	go func() { selling.Wait(); close(inbox) }()
	commits := 0
	var failed error
	for o := range inbox {
		batch := []order{o}
		for len(inbox) > 0 {
			batch = append(batch, <-inbox)
		}
		n, err := write(batch)
		commits += n
		if err != nil {
			failed = err
			stop.Store(true)
			for _, o := range batch {
				if o.done != nil {
					o.done <- 0
				}
			}
		}
	}
	r := result{
		sales:   float64(sales.Load()) / time.Since(began).Seconds(),
		commits: float64(commits) / float64(max(sales.Load(), 1)),
	}
	if all := slices.Concat(took...); len(all) > 0 {
		r.p50 = median(all)
	}
	return r, failed
}

// ours writes as the agent does: what nobody waits for is noted, or goes with what somebody does.
func ours(j *store.Journal) writer {
	now := time.Unix(1_700_000_000, 0)
	return func(batch []order) (int, error) {
		var ds []store.Draft
		waiting := false
		for i := range batch {
			o := &batch[i]
			waiting = waiting || o.done != nil
			switch o.step {
			case 0:
				o.key = j.Next() + uint64(len(ds))
				ds = append(ds, asked(o.key, now))
			case 1:
				ds = append(ds, approved(o.key, now))
			case 2:
				ds = append(ds, confirmed(o.key, now))
			}
		}
		if !waiting {
			for _, d := range ds {
				if _, err := j.Note(d); err != nil {
					return 0, err
				}
			}
			return 0, nil
		}
		if _, err := j.Append(ds...); err != nil {
			return 1, err
		}
		for _, o := range batch {
			if o.done != nil {
				o.done <- o.key
			}
		}
		return 1, nil
	}
}

// together measures 1, 8 and 64 apps at once, and 64 against what else there is, by turns.
func together(o options, dir string) error {
	at := make(map[int]result)
	for _, apps := range []int{1, 8, 64} {
		r, err := ownSales(dir, apps, o.lasts)
		if err != nil {
			return err
		}
		at[apps] = r
		goal := 0.0
		if apps == 64 {
			goal = 0.1
		}
		report(fmt.Sprintf("commits_per_sale_of_%d_apps", apps), r.commits, "commits", goal)
		report(fmt.Sprintf("sales_of_%d_apps", apps), r.sales, "sales/s", 0)
	}
	const rounds = 3
	rivals := []struct {
		name string
		goal float64
		run  func(options, string) (result, error)
	}{
		{"bbolt_update", 20, func(o options, dir string) (result, error) {
			return boltSales(dir, o.lasts, false)
		}},
		{"bbolt_batch", 8, func(o options, dir string) (result, error) {
			return boltSales(dir, o.lasts, true)
		}},
		{"sqlite_wal_full", 5, sqliteSales},
	}
	for _, rival := range rivals {
		var times []float64
		for range rounds {
			theirs, err := rival.run(o, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", rival.name, err)
			}
			r, err := ownSales(dir, 64, o.lasts)
			if err != nil {
				return err
			}
			if theirs.sales > 0 {
				times = append(times, r.sales/theirs.sales)
			}
		}
		if len(times) > 0 {
			reportLeast("throughput_at_64_against_"+rival.name, middle(times), "times", rival.goal)
		}
	}
	return againstLog(o, dir, rounds)
}

// againstLog is how much longer than behind a log one waits, and how much of that is bbolt.
func againstLog(o options, dir string, rounds int) error {
	var times, grouped, within []float64
	for range rounds {
		log, err := logSales(dir, o.lasts)
		if err != nil {
			return err
		}
		bolt, err := groupedSales(dir, o.lasts)
		if err != nil {
			return err
		}
		r, err := ownSales(dir, 64, o.lasts)
		if err != nil {
			return err
		}
		times = append(times, float64(r.p50)/float64(log.p50))
		grouped = append(grouped, float64(bolt.p50)/float64(log.p50))
		within = append(within, float64(r.p50)/float64(bolt.p50))
	}
	report("p50_at_64_against_append_log", middle(times), "times", 2.6)
	report("p50_at_64_of_grouped_bbolt_against_append_log", middle(grouped), "times", 0)
	report("p50_at_64_against_grouped_bbolt", middle(within), "times", 0)
	return nil
}

// ownSales sells into a new journal. It is large, so that nothing has to be forgotten meanwhile.
func ownSales(dir string, apps int, lasts time.Duration) (result, error) {
	place, err := os.MkdirTemp(dir, "own")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(place)
	j, err := openJournal(place, 512<<20)
	if err != nil {
		return result{}, err
	}
	defer j.Close()
	return sellAtOnce(apps, lasts, ours(j))
}

// sqliteSales is a program of its own, so that nothing here depends on SQLite.
func sqliteSales(o options, dir string) (result, error) {
	if o.sqlite == "" {
		return result{}, nil
	}
	place, err := os.MkdirTemp(dir, "sqlite")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(place)
	program, err := filepath.Abs(o.sqlite)
	if err != nil {
		return result{}, err
	}
	//nolint:gosec,noctx // it runs what it was told to run, and waits for it
	out, err := exec.Command(program, "-dir", place, "-for", o.lasts.String()).Output()
	if err != nil {
		return result{}, err
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return result{sales: n}, err
}
