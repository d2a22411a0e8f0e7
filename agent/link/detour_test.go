package link_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent/link"
	"reversald/hal"
	"reversald/hal/haltest"
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

// Over implements link.Network.
func (w *way) Over(d hal.Dialer) hal.Dialer { return wrapped{d} }

// Encrypted implements link.Network.
func (w *way) Encrypted() bool { return true }

var errWrapped = errors.New("wrapped")

// wrapped shows that a way was made safe.
type wrapped struct{ hal.Dialer }

func (w wrapped) Dial(ctx context.Context, address string) (hal.Link, error) {
	_, err := w.Dialer.Dial(ctx, address)
	return nil, errors.Join(errWrapped, err)
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
	d.Take(cable, "relayed:1")
	if err := <-hung; !errors.Is(err, context.Canceled) {
		t.Errorf("the dial under way: %v", err)
	}
	network.wait = false
	_, err := d.Dial(context.Background(), "h")
	var named *link.DialError
	if !errors.Is(err, cable.err) || !errors.Is(err, errWrapped) ||
		!errors.As(err, &named) || named.Address != "relayed:1" {
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

// throughWay is a network that leaves a cable as it is.
type throughWay struct{ *haltest.Dialer }

func (throughWay) Over(d hal.Dialer) hal.Dialer { return d }
func (throughWay) Encrypted() bool              { return false }

// Rule: while a cable carries the line, the host that is reported is the one at its other end.
func TestTheRelayedHostIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := haltest.NewDialer(haltest.Refusals(1)...)
		cable := haltest.NewDialer(haltest.Refusals(1)...)
		d := link.NewDetour(throughWay{network})
		d.Take(cable, "relayed:7")
		b := start(t, options(d))
		b.says(" failed:relayed:7")
		time.Sleep(time.Second)
		line := accept(t, cable)
		b.says(" up:relayed:7")
		if network.Dials() != 0 {
			t.Errorf("%d dials over the network", network.Dials())
		}
		d.Leave()
		line.Cut()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := b.names(); !strings.HasPrefix(got, " lost failed:") ||
			strings.Contains(got, "relayed") {
			t.Errorf("reported%s", got)
		}
		b.ends()
	})
}
