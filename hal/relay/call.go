package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"reversald/hal"
)

// What a packet is for: its first byte. The second is the number of the call, 0 to 255.
const (
	packetOffer    = 'O' // an address the sender will call; address 0 of the list, 1, 2…
	packetOffered  = 'o' // that was the last of them
	packetOpen     = 'C' // call the address
	packetAccepted = 'A' // the call is through
	packetRefused  = 'N' // it is not; the text says why
	packetData     = 'D'
	packetEnd      = 'E' // the sender says nothing more: an orderly end
	packetReset    = 'R' // the call is broken; the text says why
)

// dataBytesMax is what a packet carries beside its first two bytes.
const dataBytesMax = PayloadBytesMax - 2

// keptBytesMax is how much of a call waits for its reader. The other end is told to stop before;
// one that does not listen loses the call.
const keptBytesMax = 4 << 10

// offersMax is how many addresses one end may offer.
const offersMax = 16

// Call is one connection through the relay: a stream of bytes in either direction.
type Call struct {
	line    *Line
	id      byte
	address string

	// The line's lock guards all below.
	state    callState
	kept     []byte // arrived, and not read
	ended    bool   // no more will arrive
	err      error  // why it is broken
	deadline time.Time
	wait     chan struct{} // closed and replaced when anything changes
}

type callState uint8

const (
	calling callState = iota + 1
	through
	closed
)

var _ hal.Link = (*Call)(nil)

// Dial opens a call to an address that the other end has offered, and waits until it is through.
// A call that is still open is closed: there is one at a time.
func (l *Line) Dial(ctx context.Context, address string) (*Call, error) {
	if len(address) > dataBytesMax {
		return nil, fmt.Errorf("dial %.32s…: longer than %d bytes", address, dataBytesMax)
	}
	l.mu.Lock()
	if !l.engine.up || l.down || l.leaving {
		l.mu.Unlock()
		return nil, fmt.Errorf("dial %s: %w", address, ErrDown)
	}
	l.dropCall(errors.New("another call was opened"))
	l.lastID++
	c := &Call{
		line: l, id: l.lastID, address: address, state: calling, wait: make(chan struct{}),
	}
	l.call = c
	l.say(packetOpen, c.id, address)
	l.mu.Unlock()
	l.kick()
	for {
		l.mu.Lock()
		state, err, wait := c.state, c.err, c.wait
		l.mu.Unlock()
		switch {
		case err != nil:
			return nil, fmt.Errorf("dial %s through the relay: %w", address, err)
		case state == through:
			return c, nil
		}
		select {
		case <-ctx.Done():
			_ = c.Close()
			return nil, fmt.Errorf("dial %s through the relay: %w", address, ctx.Err())
		case <-wait:
		}
	}
}

// Accept waits for a call that the other end opens. Answer it.
func (l *Line) Accept(ctx context.Context) (*Call, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Address is what the call is for.
func (c *Call) Address() string { return c.address }

// Answer says that the call is through, or why not.
func (c *Call) Answer(err error) {
	l := c.line
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.state != calling:
	case err != nil:
		l.say(packetRefused, c.id, err.Error())
		c.fail(err)
	default:
		c.state = through
		l.say(packetAccepted, c.id, "")
	}
	l.kick()
}

// Read implements hal.Link.
func (c *Call) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		c.line.mu.Lock()
		if len(c.kept) > 0 {
			n := copy(p, c.kept)
			c.kept = c.kept[n:]
			c.line.engine.owe = true // there is room again
			c.line.mu.Unlock()
			c.line.kick()
			return n, nil
		}
		err, ended, wait := c.err, c.ended, c.wait
		c.line.mu.Unlock()
		switch {
		case err != nil:
			return 0, goneError("read", err)
		case ended:
			return 0, io.EOF
		}
		<-wait
	}
}

// Write implements hal.Link.
func (c *Call) Write(b []byte) (int, error) {
	done := 0
	for {
		c.line.mu.Lock()
		n, err := c.put(b[done:])
		wait, deadline := c.wait, c.deadline
		c.line.mu.Unlock()
		c.line.kick()
		done += n
		if err != nil || done == len(b) {
			return done, err
		}
		if !waitUntil(wait, deadline) {
			return done, fmt.Errorf("write %s: %w", c.Remote(), os.ErrDeadlineExceeded)
		}
	}
}

// TryWrite implements hal.Link.
func (c *Call) TryWrite(b []byte) (int, error) {
	c.line.mu.Lock()
	n, err := c.put(b)
	c.line.mu.Unlock()
	c.line.kick()
	if err != nil {
		n = 0
	}
	return n, err
}

// SetWriteDeadline implements hal.Link.
func (c *Call) SetWriteDeadline(t time.Time) error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.err != nil {
		return goneError("set write deadline", c.err)
	}
	c.deadline = t
	c.changed()
	return nil
}

// CloseWrite says that nothing more follows; what arrives can still be read.
func (c *Call) CloseWrite() error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.state == through && c.err == nil {
		c.state = closed
		c.line.say(packetEnd, c.id, "")
		c.line.kick()
	}
	return nil
}

// Break ends the call as broken: the other end reads what was said before, and then the cause.
func (c *Call) Break(cause error) {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.err != nil {
		return
	}
	c.line.say(packetReset, c.id, cause.Error())
	c.fail(cause)
	c.line.kick()
}

// Close implements hal.Link. What was written before still goes out.
func (c *Call) Close() error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.err != nil {
		return nil
	}
	switch c.state {
	case calling:
		c.line.say(packetReset, c.id, "given up")
	case through:
		c.line.say(packetEnd, c.id, "")
	case closed:
	}
	c.line.kick()
	c.fail(net.ErrClosed)
	return nil
}

// Remote implements hal.Link.
func (c *Call) Remote() string { return c.address + " over the cable" }

// Local implements hal.Link.
func (*Call) Local() string { return "cable" }

// put hands as much of b to the engine as it takes now.
func (c *Call) put(b []byte) (n int, err error) {
	for n < len(b) {
		switch {
		case c.err != nil:
			return n, goneError("write", c.err)
		case c.state != through:
			return n, goneError("write", net.ErrClosed)
		case len(c.line.control) > 0:
			return n, nil // in the order things were said
		}
		size := min(len(b)-n, dataBytesMax)
		if !c.line.engine.offer(append([]byte{packetData, c.id}, b[n:n+size]...)) {
			return n, nil
		}
		n += size
	}
	return n, nil
}

// fail breaks the call.
func (c *Call) fail(err error) {
	if c.err != nil {
		return
	}
	c.err, c.state = err, closed
	if c.line.call == c {
		c.line.call = nil
	}
	c.changed()
}

func (c *Call) changed() {
	close(c.wait)
	c.wait = make(chan struct{})
}

// waitUntil waits for a change; false: the deadline came first.
func waitUntil(change <-chan struct{}, deadline time.Time) bool {
	if deadline.IsZero() {
		<-change
		return true
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-change:
		return true
	case <-timer.C:
		return false
	}
}

func goneError(op string, cause error) error {
	return fmt.Errorf("%s over the cable: %w: %w", op, hal.ErrLinkGone, cause)
}
