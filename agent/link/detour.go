package link

import (
	"context"
	"sync"

	"reversald/hal"
)

// Detour is a dialer that can be sent another way for a while: over a technician's cable when the
// network is dead. It is safe for use by several goroutines.
type Detour struct {
	network hal.Dialer
	redial  func()

	mu     sync.Mutex // guards over and cancel; held for no dial
	over   hal.Dialer // nil: the network
	cancel context.CancelFunc
}

// NewDetour dials over the network until it is told otherwise.
func NewDetour(network hal.Dialer) *Detour { return &Detour{network: network} }

// OnChange sets what is called after every change of the way: it should end the line there is.
func (d *Detour) OnChange(redial func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.redial = redial
}

// Dial implements hal.Dialer. A dial that is under way when the way changes is given up: the next
// one goes the new way at once.
func (d *Detour) Dial(ctx context.Context, address string) (hal.Link, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.mu.Lock()
	dialer := d.over
	if dialer == nil {
		dialer = d.network
	}
	d.cancel = cancel
	d.mu.Unlock()
	return dialer.Dial(ctx, address)
}

// Take makes every dial go to over.
func (d *Detour) Take(over hal.Dialer) { d.turn(over) }

// Leave makes every dial go over the network again.
func (d *Detour) Leave() { d.turn(nil) }

func (d *Detour) turn(over hal.Dialer) {
	d.mu.Lock()
	if over == nil && d.over == nil {
		d.mu.Unlock()
		return
	}
	d.over = over
	if d.cancel != nil {
		d.cancel()
	}
	redial := d.redial
	d.mu.Unlock()
	if redial != nil {
		redial()
	}
}
