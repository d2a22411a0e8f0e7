package hal

import (
	"fmt"
	"net"
)

// acceptedBuffer bounds what the system keeps for an app that does not read: a few dozen answers.
// Without it the kernel would take megabytes on behalf of a program that hangs.
const acceptedBuffer = 8 << 10

// Accepted is a link to whoever connected to us: a payment app on this device.
func Accepted(c *net.TCPConn) (Link, error) {
	if err := c.SetNoDelay(true); err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	if err := c.SetWriteBuffer(acceptedBuffer); err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	return &tcpLink{conn: c, raw: raw}, nil
}
