package hal

import "time"

// Carrier is a Link that TLS can be spoken on: TCP, and a call through a relay.
type Carrier interface {
	Link
	// SetReadDeadline is the latest moment for Read to return, also for one that is waiting: with
	// os.ErrDeadlineExceeded or what wraps it as a temporary net.Error, after which Read may be
	// tried again. The zero time means none.
	SetReadDeadline(t time.Time) error
	// Room tells whether TryWrite would take any bytes now.
	Room() bool
}

// tcpCarrier is a TCP line for TLS: its errors are the system's own, because the library looks at
// them, and tlsLink words them once.
type tcpCarrier struct{ *tcpLink }

var _ Carrier = tcpCarrier{}

// Read implements Carrier.
func (c tcpCarrier) Read(p []byte) (int, error) { return c.conn.Read(p) }

// Write implements Carrier.
func (c tcpCarrier) Write(p []byte) (int, error) { return c.conn.Write(p) }

// SetReadDeadline implements Carrier.
func (c tcpCarrier) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// Room implements Carrier.
func (c tcpCarrier) Room() bool {
	room := false
	err := c.raw.Control(func(fd uintptr) { room = writable(fd) })
	return err == nil && room
}
