package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// What a zero field of TCP stands for. All are our choice.
const (
	// keepAliveIdle is under the two minutes after which the meanest mobile NATs forget.
	keepAliveIdle     = 60 * time.Second
	keepAliveInterval = 10 * time.Second
	keepAliveCount    = 3
	// userTimeout is half of the shortest host timeout in use, so that the death of a line is
	// known while somebody still waits for the answer.
	userTimeout = 15 * time.Second
)

// TCP dials a host; the address is "host:port". The zero value is ready for use.
//
// A host that vanished without a word is noticed by the user timeout while bytes are unanswered,
// and by keepalive while the line is idle. Neither says that the host's application is alive: only
// an echo at the level of messages does.
type TCP struct {
	KeepAliveIdle     time.Duration // silence before the first probe; 0 = 60 s
	KeepAliveInterval time.Duration // between probes; 0 = 10 s
	KeepAliveCount    int           // unanswered probes until the line is gone; 0 = 3
	KeepAliveOff      bool          // no probes at all

	// UserTimeout is how long sent bytes may stay unacknowledged (TCP_USER_TIMEOUT, RFC 5482;
	// whole milliseconds). 0 = 15 s, negative = the system's own, which is about 15 minutes.
	UserTimeout time.Duration

	// Interface ties the line to a network interface by name, for example "ppp0"
	// (SO_BINDTODEVICE; before Linux 5.7 this needs CAP_NET_RAW). Empty = the routing table's.
	Interface string

	// Nagle lets the system hold small writes back. Off, a frame leaves when it is written.
	Nagle bool
}

// Dial connects to "host:port". It gives up when ctx does.
func (t TCP) Dial(ctx context.Context, address string) (Link, error) {
	d := net.Dialer{
		KeepAliveConfig: t.keepAlive(),
		ControlContext: func(_ context.Context, _, _ string, c syscall.RawConn) error {
			return t.prepare(c)
		},
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err // which names the address and begins with "dial"
	}
	c := conn.(*net.TCPConn) // network "tcp" gives nothing else
	if err := c.SetNoDelay(!t.Nagle); err != nil {
		_ = c.Close() // nothing was sent on it
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		_ = c.Close() // nothing was sent on it
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return &tcpLink{conn: c, raw: raw}, nil
}

func (t TCP) keepAlive() net.KeepAliveConfig {
	k := net.KeepAliveConfig{
		Enable:   !t.KeepAliveOff,
		Idle:     t.KeepAliveIdle,
		Interval: t.KeepAliveInterval,
		Count:    t.KeepAliveCount,
	}
	if k.Idle <= 0 {
		k.Idle = keepAliveIdle
	}
	if k.Interval <= 0 {
		k.Interval = keepAliveInterval
	}
	if k.Count <= 0 {
		k.Count = keepAliveCount
	}
	return k
}

func (t TCP) userTimeout() time.Duration {
	if t.UserTimeout == 0 {
		return userTimeout
	}
	return t.UserTimeout
}

// tcpLink is a connected stream socket.
type tcpLink struct {
	conn net.Conn
	raw  syscall.RawConn

	// writing is held for the whole of a Write. TryWrite only tries it: net's own lock would make
	// it wait behind a Write that is blocked.
	writing sync.Mutex
}

func (l *tcpLink) Read(p []byte) (int, error) {
	n, err := l.conn.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = gone("read", err)
	}
	return n, err
}

// Write relies on net's count: the bytes that the kernel has accepted. What it has not accepted
// cannot leave.
func (l *tcpLink) Write(b []byte) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	n, err := l.conn.Write(b)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, fmt.Errorf("write: %w", err)
	}
	return n, gone("write", err)
}

func (l *tcpLink) TryWrite(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !l.writing.TryLock() {
		return 0, nil
	}
	defer l.writing.Unlock()
	var n int
	var err error
	// Control and not Write: it does not wait for the socket to become ready, nor does it refuse
	// when a deadline has passed.
	if cerr := l.raw.Control(func(fd uintptr) { n, err = sendNow(fd, b) }); cerr != nil {
		return 0, gone("write", cerr)
	}
	if err != nil {
		return 0, gone("write", err)
	}
	return n, nil
}

func (l *tcpLink) SetWriteDeadline(t time.Time) error {
	if err := l.conn.SetWriteDeadline(t); err != nil {
		return gone("set write deadline", err)
	}
	return nil
}

func (l *tcpLink) Close() error {
	if err := l.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

func (l *tcpLink) Remote() string { return l.conn.RemoteAddr().String() }

func (l *tcpLink) Local() string { return l.conn.LocalAddr().String() }
