package haltest

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"reversald/hal"
)

// Dialer is a hal.Dialer whose lines end in the test.
type Dialer struct {
	mu      sync.Mutex
	script  []Faults
	dials   int
	lines   []*Line       // not yet accepted, oldest first
	changed chan struct{} // closed and replaced when a line is added
}

var _ hal.Dialer = (*Dialer)(nil)

// NewDialer makes a dialer that follows the script, one step for each dial; after the last step
// every dial gets a line without faults.
func NewDialer(script ...Faults) *Dialer {
	return &Dialer{script: script, changed: make(chan struct{})}
}

// Refusals is a script in which so many dials find nobody listening.
func Refusals(n int) []Faults {
	script := make([]Faults, n)
	for i := range script {
		script[i].Refuse = syscall.ECONNREFUSED
	}
	return script
}

// Add appends steps to the script.
func (d *Dialer) Add(steps ...Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = append(d.script, steps...)
}

// Dial implements hal.Dialer.
func (d *Dialer) Dial(ctx context.Context, address string) (hal.Link, error) {
	number, f := d.step()
	if err := f.dial(ctx); err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	l := newLine(f, address, number)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, l)
	close(d.changed)
	d.changed = make(chan struct{})
	return l.Terminal, nil
}

// Accept waits for the next line that a Dial made, and hands it to the test.
func (d *Dialer) Accept(ctx context.Context) (*Line, error) {
	for {
		d.mu.Lock()
		if len(d.lines) > 0 {
			l := d.lines[0]
			d.lines = d.lines[1:]
			d.mu.Unlock()
			return l, nil
		}
		changed := d.changed
		d.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("accept: %w", ctx.Err())
		}
	}
}

// Dials is how often Dial was called, whatever came of it.
func (d *Dialer) Dials() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dials
}

// step takes the next step of the script.
func (d *Dialer) step() (number int, f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials++
	if len(d.script) > 0 {
		f, d.script = d.script[0], d.script[1:]
	}
	return d.dials, f
}

// dial does what goes wrong before there is a line.
func (f Faults) dial(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.DialDelay > 0 {
		timer := time.NewTimer(f.DialDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return f.Refuse
}
