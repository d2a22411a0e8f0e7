package acquirer

import (
	"context"
	"time"
)

// Clock is the time the bank lives in; a test brings its own and decides when late answers go out.
type Clock interface {
	Now() time.Time
	// Wait returns nil after d, or the context's error when that ends first.
	Wait(ctx context.Context, d time.Duration) error
}

// WallClock is the time of the machine.
type WallClock struct{}

// Now is the current time.
func (WallClock) Now() time.Time { return time.Now() }

// Wait waits for d.
func (WallClock) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
