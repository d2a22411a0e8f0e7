package faultsim

import (
	"time"

	"reversald/hal"
)

// wallClock is a clock on the wall that anybody may set.
type wallClock struct {
	start time.Time
	shift time.Duration
	now   func() instant
	life  int
}

func (c *wallClock) boot(life int) [16]byte {
	c.life = life
	return [16]byte{0: 0xb0, 14: byte(life >> 8), 15: byte(life)}
}

// Wall implements hal.Clock.
func (c *wallClock) Wall() time.Time { return c.start.Add(c.now() + c.shift) }

// SinceBoot implements hal.Clock.
func (c *wallClock) SinceBoot() time.Duration { return c.now() }

// BootID implements hal.Clock.
func (c *wallClock) BootID() [16]byte { return c.boot(c.life) }

// Trusted implements hal.Clock.
func (c *wallClock) Trusted(floor time.Time) bool { return hal.Believable(c.Wall(), floor) }
