package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// series is the JSON of sell --repeat --json.
type series struct {
	Sales     int     `json:"sales"`
	Approved  int     `json:"approved"`
	Declined  int     `json:"declined"`
	Unknown   int     `json:"unknown"`
	P50       int64   `json:"p50_us"` // of the sales that were answered
	P99       int64   `json:"p99_us"`
	Max       int64   `json:"max_us"`
	PerSecond float64 `json:"per_second"`
	FirstSTAN string  `json:"first_stan"`
	LastSTAN  string  `json:"last_stan"`
}

// sellMany sells --repeat times on one connection; after a sale without an answer it dials again,
// so that a late answer is not in the way of the next. The exit code is that of the worst sale.
func (s *sellFlags) sellMany(ctx context.Context, w io.Writer) error {
	run := series{FirstSTAN: s.trace()}
	var times []time.Duration
	worst := exitOK
	start := time.Now()
	for n := range s.repeat {
		if n > 0 {
			s.next(time.Now())
		}
		o, err := s.trade(ctx)
		if err != nil {
			return err
		}
		switch o.Outcome {
		case approved:
			run.Approved++
		case declined:
			run.Declined++
		default:
			run.Unknown++
		}
		if o.MTI == "" {
			s.hangUp()
		} else {
			times = append(times, o.took)
		}
		worst = max(worst, o.exitCode())
		run.Sales++
		if ctx.Err() != nil {
			break
		}
	}
	run.LastSTAN = s.trace()
	run.PerSecond = float64(run.Sales) / time.Since(start).Seconds()
	slices.Sort(times)
	run.P50, run.P99 = percentile(times, 50), percentile(times, 99)
	run.Max = percentile(times, 100)
	if err := run.print(w, s.asJSON); err != nil {
		return err
	}
	if worst != exitOK {
		return exitError(worst)
	}
	return nil
}

// percentile is the smallest time that p percent of the sales did not exceed, in microseconds.
func percentile(sorted []time.Duration, p int) int64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1].Microseconds()
}

func (r series) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "%d sales, STAN %s to %s: %d approved, %d declined, %d unknown; "+
		"p50 %d µs, p99 %d µs, max %d µs, %.0f a second\n", r.Sales, r.FirstSTAN, r.LastSTAN,
		r.Approved, r.Declined, r.Unknown, r.P50, r.P99, r.Max, r.PerSecond)
	return err
}
