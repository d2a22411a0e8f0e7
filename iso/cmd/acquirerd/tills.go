package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// tillsMax is how many tills one process plays: a big shop.
const tillsMax = 64

// redialPause is what a till waits where nobody listens.
const redialPause = 2 * time.Millisecond

// told is what a till of many was told of one sale, the JSON line of tills.
type told struct {
	TID    string `json:"tid"`
	Amount int64  `json:"amount_minor"`
	outcome
}

func newTills() *cobra.Command {
	s := &sellFlags{repeat: 1}
	count := 4
	pause := time.Duration(0)
	cmd := &cobra.Command{
		Use:   "tills",
		Short: "be a shop full of tills that sell without end, whatever becomes of the other side",
		Long: `tills plays --count tills at --to, the daemon or the bank, until its input ends.

Each sells one sale after the other with consecutive STANs, dials again when the line is lost, and
prints one line of JSON for every sale of which a byte may have left: what it was told, or that it
was told nothing. Terminals are named --tid, the last two characters counted up from 00.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(time.Now()); err != nil {
				return err
			}
			if count < 1 || count > tillsMax || len(s.tid) < 2 {
				return usage(fmt.Errorf("--count goes from 1 to %d, --tid has two digits",
					tillsMax))
			}
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			go func() {
				_, _ = io.Copy(io.Discard, cmd.InOrStdin())
				stop()
			}()
			return s.shop(ctx, cmd.OutOrStdout(), count, pause)
		},
	}
	s.define(cmd)
	cmd.Flags().Var((*decimal)(&count), "count", "how many")
	cmd.Flags().DurationVar(&pause, "pause", 0, "between two sales of a till")
	return cmd
}

// shop runs the tills and waits for them.
func (s *sellFlags) shop(ctx context.Context, w io.Writer, count int, pause time.Duration) error {
	var mu sync.Mutex
	lines := json.NewEncoder(w)
	say := func(t told) error {
		mu.Lock()
		defer mu.Unlock()
		return lines.Encode(t)
	}
	var wait sync.WaitGroup
	faults := make([]error, count)
	for n := range count {
		t := s.till
		t.tid = fmt.Sprintf("%s%02d", s.tid[:len(s.tid)-2], n)
		wait.Add(1)
		go func() {
			defer wait.Done()
			faults[n] = t.sellOn(ctx, pause, say)
		}()
	}
	wait.Wait()
	return errors.Join(faults...)
}

// sellOn sells until ctx ends. The sale under way then is brought to its end: an app that hangs up
// in the middle of an answer would not know what it was told.
func (t *till) sellOn(ctx context.Context, pause time.Duration, say func(told) error) error {
	defer t.hangUp()
	for ; ctx.Err() == nil; t.next(time.Now()) {
		for !t.ready(ctx) {
			if !rest(ctx, redialPause) {
				return nil
			}
		}
		t.sent = time.Now()
		o, err := t.trade(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if o.MTI == "" {
			t.hangUp()
		}
		if err := say(told{t.tid, t.amount, o}); err != nil {
			return err
		}
		if pause > 0 {
			rest(ctx, pause)
		}
	}
	return nil
}

// ready says whether the till has a line, and keys where it needs some.
func (t *till) ready(ctx context.Context) bool {
	if t.conn != nil {
		return true
	}
	if t.master == nil || t.profile.SignOn().None() {
		return t.dial(ctx, 0) == nil
	}
	if t.signOn(ctx) != nil {
		t.hangUp()
		return false
	}
	return true
}

// rest is false when ctx ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
