package acquirer

import (
	"context"
	"time"
)

// Clock is the time the bank lives in; a test brings its own and decides when late answers go out.
type Clock interface {
	Now() time.Time
	// Wait returns nil when it is until, or the context's error when that ends first. It takes a
	// moment and not a span, so that it does not matter when the waiting begins.
	Wait(ctx context.Context, until time.Time) error
}

// WallClock is the time of the machine.
type WallClock struct{}

// Now is the current time.
func (WallClock) Now() time.Time { return time.Now() }

// Wait waits until then.
func (WallClock) Wait(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
