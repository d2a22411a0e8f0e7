package hal

import (
	"fmt"
	"net"
	"syscall"
)

// acceptedBuffer bounds what the system keeps for an app that does not read: a few dozen answers.
// Without it the kernel would take megabytes on behalf of a program that hangs.
const acceptedBuffer = 8 << 10

// Accepted is a link to whoever connected to us, over TCP or a Unix socket: a payment app on this
// device.
func Accepted(conn net.Conn) (Link, error) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetNoDelay(true); err != nil {
			return nil, fmt.Errorf("accept: %w", err)
		}
	}
	c, ok := conn.(interface {
		SetWriteBuffer(bytes int) error
		SyscallConn() (syscall.RawConn, error)
	})
	if !ok {
		return nil, fmt.Errorf("accept: %w: a %T", ErrUnsupported, conn)
	}
	if err := c.SetWriteBuffer(acceptedBuffer); err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	return &tcpLink{conn: conn, raw: raw}, nil
}
