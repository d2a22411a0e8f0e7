package main

import (
	"math"
	"time"

	"reversald/store"
)

// year is a year of 500 sales a day under the ceiling of 64 MiB, with closed payments forgotten as
// they must be: how an append compares at its beginning and at its end, and how large the file got.
func year(_ options, dir string) error {
	const days, perDay, atOnce, rounds = 365, 500, 20, 1000
	j, err := openJournal(dir, 0)
	if err != nil {
		return err
	}
	defer j.Close()
	y, err := openBarrier(dir)
	if err != nil {
		return err
	}
	begin := time.Unix(1_700_000_000, 0)
	if err := sell(j, begin, atOnce); err != nil {
		return err
	}
	if _, err := ratio(j, y, rounds/2); err != nil { // warm up
		return err
	}
	first, err := ratio(j, y, rounds)
	if err != nil {
		return err
	}
	peak := int64(0)
	for day := range days {
		at := begin.AddDate(0, 0, day)
		for range perDay / atOnce {
			if err := sell(j, at, atOnce); err != nil {
				return err
			}
		}
		for n := math.MaxInt; n > 0; {
			if n, err = j.Forget(at, store.Retention{}); err != nil {
				return err
			}
		}
		peak = max(peak, j.Facts().Size)
	}
	last, err := ratio(j, y, rounds)
	if err != nil {
		return err
	}
	report("year_sales", days*perDay, "sales", 0)
	report("year_file_at_most", float64(peak)/(1<<20), "MiB", 64)
	report("year_payments_on_file_at_its_end", float64(j.Facts().Payments), "payments", 0)
	report("year_append_on_the_first_day", first, "two_floor_steps", 0)
	report("year_append_on_the_last_day", last, "two_floor_steps", 0)
	report("year_append_growth", last/first, "ratio", 1.2)
	return nil
}
