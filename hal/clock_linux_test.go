package hal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"reversald/hal"
)

// Rule: that the clock was set is told at once. It is set by a nanosecond here.
func TestSystemTellsThatTheClockWasSet(t *testing.T) {
	set := func() error {
		const setOffset, nano = 0x0100, 0x2000 // ADJ_SETOFFSET, ADJ_NANO
		by := unix.Timex{Modes: setOffset | nano}
		by.Time.Usec = 1 // nanoseconds
		_, err := unix.Adjtimex(&by)
		return err
	}
	if err := set(); err != nil {
		t.Skipf("not allowed to set the clock: %v", err)
	}
	clock, err := hal.OpenSystem()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	jumps, ended := make(chan struct{}, 64), make(chan error, 1)
	go func() { ended <- clock.Jumps(ctx, func() { jumps <- struct{}{} }) }()
	for limit := time.Now().Add(patience); ; {
		if err := set(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-jumps:
		case <-time.After(time.Millisecond):
			if time.Now().Before(limit) {
				continue // it may not have begun to watch
			}
			t.Error("nobody says so")
		}
		break
	}
	cancel()
	soon(t, "Jumps", func() {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
