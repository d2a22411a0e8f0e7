package link_test

import (
	"context"
	"errors"
	"testing"

	"reversald/agent/link"
	"reversald/hal"
)

// way is a dialer that tells which way it is.
type way struct {
	err  error
	wait bool
	went chan struct{}
}

func (w *way) Dial(ctx context.Context, _ string) (hal.Link, error) {
	if w.wait {
		close(w.went)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, w.err
}

// Rule: dials go the way that was taken last, every change hangs up, and a dial that hangs on the
// old way does not hold up the new one.
func TestADetourIsTakenAndLeft(t *testing.T) {
	network := &way{err: errors.New("network"), wait: true, went: make(chan struct{})}
	cable := &way{err: errors.New("cable")}
	d := link.NewDetour(network)
	redials := 0
	d.OnChange(func() { redials++ })
	d.Leave() // nothing changes
	hung := make(chan error)
	go func() {
		_, err := d.Dial(context.Background(), "h")
		hung <- err
	}()
	<-network.went
	d.Take(cable)
	if err := <-hung; !errors.Is(err, context.Canceled) {
		t.Errorf("the dial under way: %v", err)
	}
	network.wait = false
	if _, err := d.Dial(context.Background(), "h"); !errors.Is(err, cable.err) {
		t.Errorf("went %v", err)
	}
	d.Leave()
	if _, err := d.Dial(context.Background(), "h"); !errors.Is(err, network.err) {
		t.Errorf("went %v", err)
	}
	if redials != 2 {
		t.Errorf("%d redials", redials)
	}
}
