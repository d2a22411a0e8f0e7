package main

import (
	"context"
	"fmt"
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
	hosts        hal.Hosts
	certificates func() []hal.Certificate // nil: the line needs none
}

// Dial implements hal.Dialer.
func (d *dialer) Dial(ctx context.Context, address string) (hal.Link, error) {
	return d.now.Load().hosts.Dial(ctx, address)
}

// certificates are those of the line.
func (d *dialer) certificates() []hal.Certificate {
	if now := d.now.Load(); now.certificates != nil {
		return now.certificates()
	}
	return nil
}

// set takes the way to the host from a configuration. On an error the old one stays.
func (d *dialer) set(c agent.Config, p *iso.Profile, times *agent.Timekeeper) error {
	tcp := hal.TCP{
		UserTimeout: c.UserTimeout, KeepAliveIdle: c.KeepAliveIdle,
		KeepAliveInterval: c.KeepAliveInterval,
	}
	next := &dialing{hosts: hal.Hosts{Network: tcp}}
	if c.Encrypted() {
		options := c.TLS
		options.Now = times.Now
		encrypted, err := hal.OpenTLS(tcp, options)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		next.hosts.Network, next.certificates = encrypted, encrypted.Certificates
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
