package haltest

import (
	"context"
	"net/netip"
	"sync"

	"reversald/hal"
)

// Network is a hal.Network whose cables the test pulls.
type Network struct {
	Fail error // Watch returns it at once: nobody watches

	mu     sync.Mutex
	report func(hal.NetworkChange)
}

var _ hal.Network = (*Network)(nil)

// Watch implements hal.Network.
func (n *Network) Watch(ctx context.Context, report func(hal.NetworkChange)) error {
	if n.Fail != nil {
		return n.Fail
	}
	n.mu.Lock()
	n.report = report
	n.mu.Unlock()
	<-ctx.Done()
	n.mu.Lock()
	n.report = nil
	n.mu.Unlock()
	return ctx.Err()
}

// Loses takes addresses away.
func (n *Network) Loses(why string, addrs ...netip.Addr) {
	n.say(hal.NetworkChange{Interface: "eth0", Why: why, Gone: addrs})
}

// Regains brings addresses back.
func (n *Network) Regains(why string, addrs ...netip.Addr) {
	n.say(hal.NetworkChange{Interface: "eth0", Why: why, Back: addrs})
}

func (n *Network) say(c hal.NetworkChange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.report != nil {
		n.report(c)
	}
}
