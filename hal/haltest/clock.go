package haltest

import (
	"context"
	"sync"
	"time"

	"reversald/hal"
)

// Clock is a hal.Clock that misbehaves on request. It runs with package time, so inside a
// testing/synctest bubble it runs on the bubble's time.
type Clock struct {
	mu     sync.Mutex
	start  time.Time     // when this boot began, by package time
	shift  time.Duration // how far the wall clock is off
	boot   byte          // counts boots
	slept  time.Duration // in this boot
	inStep bool          // see InStep
	jumped chan struct{} // closed and replaced at every jump
}

var _ hal.ClockWatch = (*Clock)(nil)

// NewClock makes a clock that has just booted and whose wall clock stands at wall; the zero time
// means that of package time (which in a bubble is the year 2000, and so not trusted).
func NewClock(wall time.Time) *Clock {
	c := &Clock{start: time.Now(), boot: 1, jumped: make(chan struct{})}
	if !wall.IsZero() {
		c.Set(wall)
	}
	return c
}

// Wall implements hal.Clock.
func (c *Clock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Round(0).Add(c.shift)
}

// SinceBoot implements hal.Clock.
func (c *Clock) SinceBoot() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.start) + c.slept
}

// BootID implements hal.Clock. It differs for every boot and is the same in every run of a test.
func (c *Clock) BootID() [16]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return [16]byte{0: 0xb0, 1: 0x07, 15: c.boot}
}

// Trusted implements hal.Clock.
func (c *Clock) Trusted(floor time.Time) bool {
	wall := c.Wall()
	c.mu.Lock()
	defer c.mu.Unlock()
	return hal.Believable(wall, floor) || c.inStep && hal.Believable(wall, time.Time{})
}

// Jumps implements hal.ClockWatch.
func (c *Clock) Jumps(ctx context.Context, report func()) error {
	for {
		c.mu.Lock()
		jumped := c.jumped
		c.mu.Unlock()
		select {
		case <-jumped:
			report()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Sleeps is a suspend: the terminal's clocks go on, package time and every timer stand still.
func (c *Clock) Sleeps(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
	c.shift += d
	c.say()
}

// InStep says whether a time daemon vouches for the wall clock.
func (c *Clock) InStep(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inStep = yes
}

func (c *Clock) say() {
	close(c.jumped)
	c.jumped = make(chan struct{})
}

// Jump moves the wall clock, as an operator or the network would. SinceBoot does not move.
func (c *Clock) Jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += by
	c.say()
}

// Set puts the wall clock to a time.
func (c *Clock) Set(wall time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift = wall.Round(0).Sub(time.Now().Round(0))
	c.say()
}

// Reset1970 is a flat battery: the wall clock stands at the beginning of 1970.
func (c *Clock) Reset1970() { c.Set(time.Unix(0, 0).UTC()) }

// Reboot starts SinceBoot again and gives a new boot id. The wall clock goes on.
func (c *Clock) Reboot() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start, c.slept = time.Now(), 0
	c.boot++
}
