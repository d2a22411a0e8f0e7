package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"reversald/agent"
	"reversald/hal"
	"reversald/iso"
)

// built is when the source was committed, in Unix seconds, set at build time. No clock that shows
// less is right.
var built = ""

// builtAt is that moment; zero where nobody has said.
func builtAt() time.Time {
	seconds, err := strconv.ParseInt(built, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// dialer is the way to the host, which a reload may exchange: a line that is up stays up.
type dialer struct{ now atomic.Pointer[dialing] }

type dialing struct {
	hosts     hal.Hosts
	encrypted *hal.TLS // nil: the line has none
	relayable []string // through a laptop
}

// Dial implements hal.Dialer.
func (d *dialer) Dial(ctx context.Context, address string) (hal.Link, error) {
	return d.now.Load().hosts.Dial(ctx, address)
}

// certificates are those of the line.
func (d *dialer) certificates() []hal.Certificate {
	if now := d.now.Load(); now.encrypted != nil {
		return now.encrypted.Certificates()
	}
	return nil
}

// Over implements link.Network.
func (d *dialer) Over(cable hal.Dialer) hal.Dialer { return relayed{d, cable} }

// Encrypted implements link.Network.
func (d *dialer) Encrypted() bool { return d.now.Load().encrypted != nil }

// relayed dials over a cable, as the configuration of the moment wants it.
type relayed struct {
	way   *dialer
	cable hal.Dialer
}

// Dial implements hal.Dialer.
func (r relayed) Dial(ctx context.Context, address string) (hal.Link, error) {
	now := r.way.now.Load()
	switch {
	case !slices.Contains(now.relayable, address): // a reload took it away
		return nil, fmt.Errorf("dial %s: console.relay_hosts does not allow it", address)
	case now.encrypted != nil:
		return now.encrypted.Over(r.cable).Dial(ctx, address)
	}
	return r.cable.Dial(ctx, address)
}

// set takes the way to the host from a configuration. On an error the old one stays.
func (d *dialer) set(c agent.Config, p *iso.Profile, times *agent.Timekeeper) error {
	tcp := hal.TCP{
		UserTimeout: c.UserTimeout, KeepAliveIdle: c.KeepAliveIdle,
		KeepAliveInterval: c.KeepAliveInterval,
	}
	next := &dialing{hosts: hal.Hosts{Network: tcp}, relayable: relayable(c)}
	if c.Encrypted() {
		options := c.TLS
		options.Now = times.Now
		encrypted, err := hal.OpenTLS(tcp, options)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		next.hosts.Network, next.encrypted = encrypted, encrypted
	}
	for _, address := range c.Host {
		if err := hal.CheckSerialFrames(address, p.AppendFrame); err != nil {
			return fmt.Errorf("host: %s: profile %s: %w", address, p.Name(), err)
		}
	}
	d.now.Store(next)
	return nil
}

// openDevices makes the line ready to be dialled, and gives what warns the agent.
func openDevices(
	c agent.Config, p *iso.Profile, times *agent.Timekeeper, line *dialer,
) (agent.Devices, error) {
	d := agent.Devices{Certificates: line.certificates}
	if err := line.set(c, p, times); err != nil {
		return d, err
	}
	if c.NetworkWatch {
		d.Network = hal.Netlink{}
	}
	if c.PowerSource != "" {
		power, err := hal.ParsePower(c.PowerSource)
		if err != nil {
			return d, fmt.Errorf("power.source: %w", err)
		}
		d.Power = power
	}
	return d, nil
}
