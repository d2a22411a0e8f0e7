package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"reversald/store"
)

// written is what this process has passed to write calls, and what it has made dirty.
func written() (calls, device int64, err error) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		_, _ = fmt.Sscanf(line, "wchar: %d", &calls) // the other lines
		_, _ = fmt.Sscanf(line, "write_bytes: %d", &device)
	}
	return calls, device, nil
}

// perSale is what n calls of sale write, per call.
func perSale(n int, sale func() error) (calls, device float64, err error) {
	c, d, err := written()
	if err != nil {
		return 0, 0, err
	}
	for range n {
		if err := sale(); err != nil {
			return 0, 0, err
		}
	}
	c2, d2, err := written()
	return float64(c2-c) / float64(n), float64(d2-d) / float64(n), err
}

// flash measures what an approved sale writes when one app sells one after the other, against bbolt
// with one Update per entry, with 10,000 sales on file, and what that means in years.
func flash(_ options, dir string) error {
	const sales, onFile = 1000, 10_000
	j, err := openJournal(dir, 0)
	if err != nil {
		return err
	}
	defer j.Close()
	now := time.Unix(1_700_000_000, 0)
	db, done, err := openPlain(dir)
	if err != nil {
		return err
	}
	defer done()
	db.NoSync = true
	for range onFile / 50 {
		if err := sell(j, now, 50); err != nil {
			return err
		}
	}
	naive := func() error {
		key := uint64(0)
		for step := range 3 {
			if key, err = plain(db.Update, step, key); err != nil {
				return err
			}
		}
		return nil
	}
	for range onFile {
		if err := naive(); err != nil {
			return err
		}
	}
	db.NoSync = false
	calls, device, err := perSale(sales, func() error { return oneSale(j, now) })
	if err != nil {
		return err
	}
	naiveCalls, naiveDevice, err := perSale(sales, naive)
	if err != nil {
		return err
	}
	report("written_per_sale", device/1000, "KB", 55)
	report("written_per_sale_by_calls", calls/1000, "KB", 55)
	report("written_per_sale_naive", naiveDevice/1000, "KB", 0)
	report("written_per_sale_naive_by_calls", naiveCalls/1000, "KB", 0)
	report("written_against_naive", device/naiveDevice, "ratio", 0.75)
	report("written_against_naive_by_calls", calls/naiveCalls, "ratio", 0.75)
	years(device)
	return nil
}

// oneSale is a sale whose confirm goes with the next.
func oneSale(j *store.Journal, now time.Time) error {
	key, err := j.Append(asked(j.Next(), now))
	if err != nil {
		return err
	}
	if _, err := j.Append(approved(key, now)); err != nil {
		return err
	}
	_, err = j.Note(confirmed(key, now))
	return err
}

// years says how long two media last at 500 sales a day, if all else that is written to them is
// nothing. Amplification is what the medium writes for a byte that it is given.
func years(bytesPerSale float64) {
	const salesPerDay = 500
	for _, medium := range []struct {
		name                         string
		bytes, erases, amplification float64
	}{
		// SLC NAND under UBIFS: a partition of 64 MiB, 1,000 erases a block. UBIFS writes nodes,
		// and moves what is alive when it collects: twice.
		{"nand_64MiB_1000_erases", 64 << 20, 1000, 2},
		// eMMC (MLC), 3,000 erases, levelled over a user area of 1 GiB. Scattered writes of 4 KiB
		// into pages of 16 KiB: four times.
		{"emmc_1GiB_3000_erases", 1 << 30, 3000, 4},
	} {
		perYear := bytesPerSale * medium.amplification * salesPerDay * 365
		report("years_of_"+medium.name, medium.bytes*medium.erases/perYear, "years", 0)
	}
}
