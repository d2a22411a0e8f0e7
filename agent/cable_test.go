package agent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"

	"reversald/hal"
	"reversald/hal/haltest"
)

// cable is what lies between the agent and its host: it can be pulled, and what is sent over it
// can be refused while it still looks whole.
type cable struct {
	*haltest.Dialer
	pulled atomic.Bool // nobody is reached
	dead   atomic.Bool // lines that are up take not one byte, and say so
	full   atomic.Bool // lines that are up take not one byte, and do not say so
}

// Dial implements hal.Dialer.
func (c *cable) Dial(ctx context.Context, address string) (hal.Link, error) {
	if c.pulled.Load() {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
	}
	line, err := c.Dialer.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return wire{line, c}, nil
}

// wire is one line over the cable.
type wire struct {
	hal.Link
	cable *cable
}

// TryWrite implements hal.Link.
func (w wire) TryWrite(b []byte) (int, error) {
	switch {
	case w.cable.dead.Load():
		return 0, fmt.Errorf("write: %w", hal.ErrLinkGone)
	case w.cable.full.Load():
		return 0, nil
	}
	return w.Link.TryWrite(b)
}

// Write implements hal.Link.
func (w wire) Write(b []byte) (int, error) {
	if w.cable.dead.Load() {
		return 0, fmt.Errorf("write: %w", hal.ErrLinkGone)
	}
	return w.Link.Write(b)
}

// cableAddress is our end of every line over the cable.
const cableAddress = "10.0.0.2"

// Local implements hal.Link.
func (w wire) Local() string { return cableAddress + ":40000" }
