package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Port is an open serial port, held by this process alone. It implements Link.
//
// It has two descriptors of the device, each opened on its own. go.bug.st/serial holds one and
// sets the line: raw mode, speed, parity, modem bits. The bytes go through the other, which is
// non-blocking and belongs to Go's poller. That is what makes this port safe where the library's
// Read and Write are not: a descriptor is not given back while a call uses it, so nothing written
// late lands in a file that has got its number; a blocked call ends at its deadline and at Close;
// and a count is what the kernel took, not what was handed to somebody who may write it.
//
// A Port is opened once and never again, so there is no call that could reach its successor.
type Port struct {
	device       string // as it was asked for
	writeTimeout time.Duration
	data         *os.File
	line         lineControl
	lock         lockFile

	// writing is held for the whole of a Write; TryWrite and Close only try it.
	writing sync.Mutex

	mu       sync.Mutex
	deadline time.Time // the caller's for writes; zero: writeTimeout from the start of each
	stuck    bool      // a write met its deadline: what the kernel holds is not worth a wait
	closed   bool
}

var (
	_ Link   = (*Port)(nil)
	_ Dialer = Serial{}
)

// Open opens the device and sets the line. It never waits for a carrier, and opening alone does
// not mean that anybody is at the other end. What was received before is thrown away.
//
// The errors wrap ErrBusy, ErrNotSerial or the system's own, such as fs.ErrNotExist.
func (s Serial) Open(ctx context.Context, device string) (*Port, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	s, err := s.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	p, err := s.open(device)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	return p, nil
}

func (s Serial) open(device string) (_ *Port, err error) {
	path, err := filepath.EvalSymlinks(device) // /dev/serial/by-id/… and the lock's name
	if err != nil {
		return nil, withoutPath(err)
	}
	if info, err := os.Stat(path); err != nil {
		return nil, withoutPath(err)
	} else if info.Mode()&os.ModeCharDevice == 0 {
		return nil, ErrNotSerial
	}
	p := &Port{device: device, writeTimeout: s.WriteTimeout}
	defer func() {
		if err != nil {
			_ = p.release() // err says more
		}
	}()
	// Ours first: the library makes the device exclusive, after which only root can open it.
	p.data, err = os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, busy(s.LockDir, path)
	} else if err != nil {
		return nil, withoutPath(err)
	}
	if err = p.claim(s.LockDir, path); err != nil {
		return nil, err
	}
	if err = p.line.open(path, s); err != nil {
		return nil, err
	}
	if err = p.ioctl(unix.TCFLSH, unix.TCIOFLUSH); err != nil {
		return nil, fmt.Errorf("flush: %w", err)
	}
	// Without deadlines a write could wait for ever, so a device that cannot be polled will not do.
	if err = p.data.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return p, nil
}

// Read waits for at least one byte. A hang-up, an unplugged adapter and an ended pty are told as
// ErrLinkGone; there is no orderly end on a cable.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.data.Read(b)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) { // so does the kernel spell a hang-up
		err = unix.EIO
	}
	return n, p.gone("read", err)
}

// Write implements Link. It waits no longer than the deadline that was set, or WriteTimeout.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := p.startWrite(); err != nil {
		return 0, p.gone("write", err)
	}
	n, err := p.data.Write(b)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && p.noteStuck() {
		return n, fmt.Errorf("write %s: %w", p.device, err)
	}
	return n, p.gone("write", err)
}

// TryWrite implements Link.
func (p *Port) TryWrite(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !p.writing.TryLock() {
		return 0, nil
	}
	defer p.writing.Unlock()
	var n int
	err := p.control(func(fd int) (err error) {
		n, err = unix.Write(fd, b)
		return err
	})
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	if err != nil {
		return 0, p.gone("write", err)
	}
	return n, nil
}

// SetWriteDeadline implements Link.
func (p *Port) SetWriteDeadline(t time.Time) error {
	if err := p.setWriteDeadline(t); err != nil {
		return p.gone("set write deadline", err)
	}
	return nil
}

// Close implements Link. Bytes that were written and are still in the kernel get 200 ms to go out,
// unless a Write was blocked, and are then thrown away.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	stuck := p.stuck
	// A deadline in the past ends the calls that wait, and any that were about to.
	derr := p.data.SetDeadline(time.Unix(1, 0))
	p.mu.Unlock()
	if !p.writing.TryLock() {
		stuck = true
		p.writing.Lock() // bounded by the deadline
	}
	defer p.writing.Unlock()
	p.drain(stuck)
	return errors.Join(derr, p.release())
}

// Remote implements Link: the device, as nobody knows what is at the other end.
func (p *Port) Remote() string { return p.device }

// Local implements Link.
func (p *Port) Local() string { return p.device }

// Modem reads the control lines; false means that this port has none (a pty, a USB gadget).
func (p *Port) Modem() (Modem, bool, error) {
	m, ok, err := p.line.modem()
	if err != nil {
		err = p.gone("read modem bits", err)
	}
	return m, ok, err
}

// SetDTR sets Data Terminal Ready. A port without the line is not an error.
func (p *Port) SetDTR(on bool) error {
	if err := p.line.setDTR(on); err != nil {
		return p.gone("set DTR", err)
	}
	return nil
}

// SetRTS sets Request To Send. A port without the line is not an error.
func (p *Port) SetRTS(on bool) error {
	if err := p.line.setRTS(on); err != nil {
		return p.gone("set RTS", err)
	}
	return nil
}

// startWrite sets the limit of a Write that is about to begin. It does so under the lock, for
// otherwise it could undo the deadline by which Close stops everything.
func (p *Port) startWrite() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if !p.deadline.IsZero() {
		return nil
	}
	return p.data.SetWriteDeadline(time.Now().Add(p.writeTimeout))
}

// noteStuck notes that a write met its deadline, unless that deadline was Close's.
func (p *Port) noteStuck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.stuck = true
	return true
}

func (p *Port) setWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.deadline = t
	if t.IsZero() {
		t = time.Now().Add(p.writeTimeout) // for a Write that is under way; the next sets its own
	}
	return p.data.SetWriteDeadline(t)
}

// withoutPath is the cause of an error that names the path: ours names it too.
func withoutPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
