package link

import (
	"context"
	"fmt"
	"sync"

	"reversald/hal"
)

// Network is the usual way to the host. It knows how lines are to be encrypted, and so it also says
// how to dial over somebody else's cable.
type Network interface {
	hal.Dialer
	// Over dials through d with the same TLS as over the network. Where no TLS is configured, it
	// dials in the clear, and no host but those that may be.
	Over(d hal.Dialer) hal.Dialer
	// Encrypted tells whether there is TLS.
	Encrypted() bool
}

// Detour is a dialer that can be sent another way for a while: over a technician's cable when the
// network is dead. It is safe for use by several goroutines.
type Detour struct {
	network Network
	redial  func()

	mu      sync.Mutex // guards all below; held for no dial
	over    hal.Dialer // nil: the network
	address string     // of the host on that way
	cancel  context.CancelFunc
}

// NewDetour dials over the network until it is told otherwise.
func NewDetour(network Network) *Detour { return &Detour{network: network} }

// OnChange sets what is called after every change of the way: it should end the line there is.
func (d *Detour) OnChange(redial func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.redial = redial
}

// Dial implements hal.Dialer. A dial that is under way when the way changes is given up: the next
// one goes the new way at once. On a detour there is one host, and address does not matter: the
// link is a Called, and an error a DialError, which name that host.
func (d *Detour) Dial(ctx context.Context, address string) (hal.Link, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.mu.Lock()
	over, called := d.over, d.address
	d.cancel = cancel
	d.mu.Unlock()
	if over == nil {
		return d.network.Dial(ctx, address)
	}
	line, err := over.Dial(ctx, called)
	if err != nil {
		return nil, &DialError{Address: called, Err: err}
	}
	return Called{line, called}, nil
}

// Take makes every dial go through over to the host at address, encrypted as the network's lines
// are: a laptop that carries them sees no more than a network does.
func (d *Detour) Take(over hal.Dialer, address string) { d.turn(d.network.Over(over), address) }

// Leave makes every dial go over the network again.
func (d *Detour) Leave() { d.turn(nil, "") }

// Encrypted tells whether a line over another way has TLS.
func (d *Detour) Encrypted() bool { return d.network.Encrypted() }

func (d *Detour) turn(over hal.Dialer, address string) {
	d.mu.Lock()
	if over == nil && d.over == nil {
		d.mu.Unlock()
		return
	}
	d.over, d.address = over, address
	if d.cancel != nil {
		d.cancel()
	}
	redial := d.redial
	d.mu.Unlock()
	if redial != nil {
		redial()
	}
}

// Called is a line to another host than the one that was asked for.
type Called struct {
	hal.Link
	Address string
}

// DialError is why another host than the one that was asked for was not reached.
type DialError struct {
	Address string
	Err     error
}

// Error implements error.
func (e *DialError) Error() string { return fmt.Sprintf("relayed: %v", e.Err) }

// Unwrap gives the cause.
func (e *DialError) Unwrap() error { return e.Err }
