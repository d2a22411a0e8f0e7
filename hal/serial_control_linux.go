package hal

import (
	"errors"
	"net"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// lineControl owns the library's port. The library works on a bare number: a call after its Close
// reaches whatever file has got that number since. So every call goes through use, which holds the
// lock and finds no port once it is closed. Its Read and Write are never called.
type lineControl struct {
	mu   sync.Mutex
	port serial.Port // nil: not open, or closed
}

func (c *lineControl) open(path string, s Serial) error {
	port, err := openLibrary(path, s)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.port = port
	return nil
}

func (c *lineControl) use(f func(serial.Port) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.port == nil {
		return net.ErrClosed
	}
	return f(c.port)
}

func (c *lineControl) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.port == nil {
		return nil
	}
	err := c.port.Close()
	c.port = nil
	return err
}

func (c *lineControl) modem() (m Modem, ok bool, err error) {
	err = c.use(func(port serial.Port) error {
		bits, err := port.GetModemStatusBits()
		if err != nil {
			return err
		}
		m, ok = Modem{CTS: bits.CTS, DSR: bits.DSR, RI: bits.RI, DCD: bits.DCD}, true
		return nil
	})
	return m, ok, exceptMissing(err)
}

func (c *lineControl) setDTR(on bool) error {
	return exceptMissing(c.use(func(port serial.Port) error { return port.SetDTR(on) }))
}

func (c *lineControl) setRTS(on bool) error {
	return exceptMissing(c.use(func(port serial.Port) error { return port.SetRTS(on) }))
}

// exceptMissing forgives a port that has no control lines. Kernels before 3.1 say EINVAL.
func exceptMissing(err error) error {
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// drainTick is how often the kernel is asked whether all is out.
const drainTick = 2 * time.Millisecond

// drain lets what was written go out for a while, or at once throws it away if nobody takes it.
// What is left would hold the last close of the device back, for up to 30 seconds.
func (p *Port) drain(stuck bool) {
	for end := time.Now().Add(serialLinger); !stuck && time.Now().Before(end); {
		var waiting int
		err := p.control(func(fd int) (err error) {
			waiting, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
			return err
		})
		if err != nil || waiting == 0 {
			return
		}
		time.Sleep(drainTick)
	}
	_ = p.ioctl(unix.TCFLSH, unix.TCOFLUSH) // best effort: the device may be gone
}

// release gives back whatever of the port is held, in the order that leaves no gap: the library's
// descriptor while ours is still open, and the locks last.
func (p *Port) release() error {
	err := p.line.close()
	if p.data == nil {
		return err
	}
	p.lock.remove()
	return errors.Join(err, p.data.Close()) // and with it the flock
}

// control runs one system call on our descriptor, which stays ours for that long. The call must
// not block.
func (p *Port) control(f func(fd int) error) error {
	raw, err := p.data.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) {
		for {
			if err = f(int(fd)); !errors.Is(err, unix.EINTR) {
				return
			}
		}
	})
	return errors.Join(cerr, err)
}

func (p *Port) ioctl(request uint, value int) error {
	return p.control(func(fd int) error { return unix.IoctlSetInt(fd, request, value) })
}

// gone is the error of a port that is no more, and says so if that was our own doing.
func (p *Port) gone(op string, cause error) error {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		cause = net.ErrClosed
	}
	return gone(op+" "+p.device, cause)
}
