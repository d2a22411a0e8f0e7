package hal

import (
	"context"
	"net/netip"
)

// Network watches the interfaces of the terminal, so that a pulled cable is a lost line now, and
// not when TCP gives up, and a line is tried again in the moment it may work, and not when the
// backoff is over.
type Network interface {
	// Watch reports every change until ctx ends, in order and from one goroutine. What is there
	// when it begins is not reported. An error other than ctx's means that nobody watches.
	Watch(ctx context.Context, report func(NetworkChange)) error
}

// NetworkChange is what became of the addresses of one interface.
type NetworkChange struct {
	Interface string       // its name, for people
	Why       string       // "carrier lost", "address gone", "interface gone", "carrier back" …
	Gone      []netip.Addr // lead nowhere any more
	Back      []netip.Addr // lead somewhere, and did not before
}

// Loses tells whether a line from a local "address:port" ends with this change.
func (c NetworkChange) Loses(local string) bool {
	at, err := netip.ParseAddrPort(local)
	if err != nil {
		return false // not a network line
	}
	for _, gone := range c.Gone {
		if gone == at.Addr().Unmap().WithZone("") {
			return true
		}
	}
	return false
}

// interfaces is what is known of the network, and turns the kernel's messages into changes. It
// touches nothing.
type interfaces map[int32]*networkInterface

type networkInterface struct {
	name    string
	running bool // up, and with a carrier
	addrs   map[netip.Addr]bool
}

func (n interfaces) at(index int32) *networkInterface {
	i := n[index]
	if i == nil {
		i = &networkInterface{addrs: map[netip.Addr]bool{}}
		n[index] = i
	}
	return i
}

func (i *networkInterface) all() []netip.Addr {
	all := make([]netip.Addr, 0, len(i.addrs))
	for a := range i.addrs {
		all = append(all, a)
	}
	return all
}

// link takes a new state of an interface; false means that nothing has changed for a line.
func (n interfaces) link(index int32, name string, running bool) (NetworkChange, bool) {
	i := n.at(index)
	if name != "" {
		i.name = name
	}
	was := i.running
	i.running = running
	switch {
	case was && !running:
		return NetworkChange{Interface: i.name, Why: "carrier lost", Gone: i.all()}, true
	case !was && running:
		return NetworkChange{Interface: i.name, Why: "carrier back", Back: i.all()}, true
	}
	return NetworkChange{}, false
}

// unlink takes an interface away.
func (n interfaces) unlink(index int32) (NetworkChange, bool) {
	i := n[index]
	delete(n, index)
	if i == nil || !i.running {
		return NetworkChange{}, false
	}
	return NetworkChange{Interface: i.name, Why: "interface gone", Gone: i.all()}, true
}

// address adds an address to an interface, or takes it away.
func (n interfaces) address(index int32, a netip.Addr, there bool) (NetworkChange, bool) {
	i := n.at(index)
	if i.addrs[a] == there {
		return NetworkChange{}, false
	}
	if there && len(i.addrs) < addressesMax {
		i.addrs[a] = true
	} else {
		delete(i.addrs, a)
	}
	switch {
	case !i.running:
		return NetworkChange{}, false
	case there:
		return NetworkChange{
			Interface: i.name, Why: "address here", Back: []netip.Addr{a},
		}, true
	}
	return NetworkChange{Interface: i.name, Why: "address gone", Gone: []netip.Addr{a}}, true
}

// addressesMax is how many addresses of one interface are kept: far more than a terminal has.
const addressesMax = 256
