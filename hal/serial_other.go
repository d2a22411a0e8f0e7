//go:build !linux

package hal

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"
)

// otherTick is how long one read of the library waits: how soon a Close is noticed.
const otherTick = 100 * time.Millisecond

// otherChunk is how much is given to the library at once: its writes have no timeout, so a deadline
// is looked at between two of them.
const otherChunk = 256

// Port is an open serial port of a technician's laptop (macOS, Windows). On terminals, which run
// Linux, it has two descriptors and is a good deal safer; here it is the library's port with a lock
// and a closed flag around every call, and a read timeout that is told from an end.
type Port struct {
	device       string
	writeTimeout time.Duration
	writing      sync.Mutex // held for the whole of a Write

	mu       sync.Mutex // guards port and deadline; calls of the library run without it
	port     serial.Port
	deadline time.Time
	calls    sync.WaitGroup // of the library that are under way: the descriptor stays ours so long
}

var (
	_ Link   = (*Port)(nil)
	_ Dialer = Serial{}
)

// Open opens the device and sets the line; see the Linux one.
func (s Serial) Open(ctx context.Context, device string) (*Port, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	s, err := s.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	port, err := openLibrary(device, s)
	if err == nil {
		err = port.SetReadTimeout(otherTick) // once: changing it while reading is a race
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	return &Port{device: device, writeTimeout: s.WriteTimeout, port: port}, nil
}

// use runs one call of the library, if the port is still open.
func (p *Port) use(op string, f func(serial.Port) error) error {
	p.mu.Lock()
	port := p.port
	if port == nil {
		p.mu.Unlock()
		return gone(op+" "+p.device, net.ErrClosed)
	}
	p.calls.Add(1)
	p.mu.Unlock()
	defer p.calls.Done()
	if err := f(port); err != nil {
		return gone(op+" "+p.device, err)
	}
	return nil
}

// Read implements Link.
func (p *Port) Read(b []byte) (n int, err error) {
	for n == 0 && err == nil && len(b) > 0 {
		err = p.use("read", func(port serial.Port) (err error) {
			n, err = port.Read(b) // 0, nil is its timeout
			return err
		})
	}
	return n, err
}

// Write implements Link.
func (p *Port) Write(b []byte) (n int, err error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	deadline := p.deadline
	p.mu.Unlock()
	if deadline.IsZero() {
		deadline = time.Now().Add(p.writeTimeout)
	}
	for n < len(b) {
		if !time.Now().Before(deadline) {
			return n, fmt.Errorf("write %s: %w", p.device, os.ErrDeadlineExceeded)
		}
		err = p.use("write", func(port serial.Port) error {
			k, err := port.Write(b[n:min(n+otherChunk, len(b))])
			n += k
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// TryWrite implements Link: the library can not tell what would have to wait, so nothing is tried.
func (p *Port) TryWrite([]byte) (int, error) {
	return 0, p.use("write", func(serial.Port) error { return nil })
}

// SetWriteDeadline implements Link.
func (p *Port) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}

// Close implements Link. It waits for calls that are under way, so that no late write can reach a
// file that has got the port's number; a Read ends within its tick.
func (p *Port) Close() error {
	p.mu.Lock()
	port := p.port
	p.port = nil
	p.mu.Unlock()
	if port == nil {
		return nil
	}
	p.calls.Wait()
	return port.Close()
}

// Remote implements Link.
func (p *Port) Remote() string { return p.device }

// Local implements Link.
func (p *Port) Local() string { return p.device }

// Modem reads the control lines; false means that this port has none.
func (p *Port) Modem() (m Modem, ok bool, err error) {
	err = p.use("read modem bits", func(port serial.Port) error {
		bits, err := port.GetModemStatusBits()
		if err == nil {
			m, ok = Modem{CTS: bits.CTS, DSR: bits.DSR, RI: bits.RI, DCD: bits.DCD}, true
		}
		return err
	})
	return m, ok, err
}

// SetDTR sets Data Terminal Ready.
func (p *Port) SetDTR(on bool) error {
	return p.use("set DTR", func(port serial.Port) error { return port.SetDTR(on) })
}

// SetRTS sets Request To Send.
func (p *Port) SetRTS(on bool) error {
	return p.use("set RTS", func(port serial.Port) error { return port.SetRTS(on) })
}
