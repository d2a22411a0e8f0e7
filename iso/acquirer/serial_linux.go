package acquirer

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A terminal at the end of a serial line sends STX, the frame with its packed length, ETX and LRC,
// and may want ENQ and every frame answered. The bank's side of that is written here on its own:
// what both sides had from one source, both would have wrong.
const (
	stx, etx, enq, ack, nak = 0x02, 0x03, 0x05, 0x06, 0x15
)

// serialListener is a serial device where Accept waits for a line: there is one at a time.
type serialListener struct {
	device string
	ended  chan struct{}
	once   sync.Once
	free   chan struct{} // holds one when no line is in use
}

// listenSerial opens nothing yet: a cable may be plugged in later.
func listenSerial(device string) net.Listener {
	l := &serialListener{device: device, ended: make(chan struct{}), free: make(chan struct{}, 1)}
	l.free <- struct{}{}
	return l
}

// Accept implements net.Listener.
func (l *serialListener) Accept() (net.Conn, error) {
	select {
	case <-l.ended:
		return nil, net.ErrClosed
	case <-l.free:
	}
	f, err := openRaw(l.device)
	if err != nil {
		l.free <- struct{}{}
		return nil, err
	}
	return &serialConn{File: f, listener: l}, nil
}

// Close implements net.Listener.
func (l *serialListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

// Addr implements net.Listener.
func (l *serialListener) Addr() net.Addr { return serialAddress(l.device) }

type serialAddress string

func (serialAddress) Network() string  { return "serial" }
func (a serialAddress) String() string { return string(a) }

// openRaw opens a device for bytes as they are, without flow control; the speed stays.
func openRaw(device string) (*os.File, error) {
	f, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	cerr := raw.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err != nil {
			return
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD | unix.CLOCAL
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err = errors.Join(cerr, err); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// serialConn is a line in use. It reads frames without their envelopes and writes them into some.
type serialConn struct {
	*os.File
	listener *serialListener
	once     sync.Once

	writing sync.Mutex
	polite  bool // the terminal has said ENQ or ACK: it wants its frames answered; guards nothing

	raw  []byte // read, and not taken apart
	body []byte // taken apart, and not read
}

// Read implements net.Conn.
func (c *serialConn) Read(p []byte) (int, error) {
	buf := make([]byte, 512)
	for len(c.body) == 0 {
		n, err := c.File.Read(buf)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		c.raw = append(c.raw, buf[:n]...)
		for c.step() {
		}
	}
	n := copy(p, c.body)
	c.body = c.body[n:]
	return n, nil
}

// step takes one thing off what was read; false when there is no whole one.
func (c *serialConn) step() bool {
	if len(c.raw) == 0 {
		return false
	}
	if c.raw[0] != stx {
		if c.raw[0] == enq {
			c.polite = true
			c.say(ack)
		}
		c.raw = c.raw[1:]
		return true
	}
	if len(c.raw) < 3 {
		return false
	}
	digits := func(b byte) int { return int(b>>4)*10 + int(b&15) }
	n := digits(c.raw[1])*100 + digits(c.raw[2])
	if len(c.raw) < 1+2+n+2 {
		return false
	}
	frame, sum := c.raw[1:3+n], byte(0)
	for _, b := range c.raw[1 : 4+n] {
		sum ^= b
	}
	good := c.raw[3+n] == etx && c.raw[4+n] == sum
	if good {
		c.body = append(c.body, frame...)
	}
	c.raw = c.raw[5+n:]
	if c.polite && good {
		c.say(ack)
	} else if c.polite {
		c.say(nak)
	}
	return true
}

func (c *serialConn) say(b byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.File.Write([]byte{b}) // whoever reads the line notices its end
}

// Write implements net.Conn. It is given one frame at a time, whole.
func (c *serialConn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	wire := append([]byte{stx}, p...)
	wire = append(wire, etx)
	sum := byte(0)
	for _, b := range wire[1:] {
		sum ^= b
	}
	if n, err := c.File.Write(append(wire, sum)); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// Close implements net.Conn.
func (c *serialConn) Close() error {
	err := os.ErrClosed
	c.once.Do(func() {
		err = c.File.Close()
		time.AfterFunc(lineRest, func() { c.listener.free <- struct{}{} })
	})
	return err
}

// lineRest is how long a line that was cut stays down, so that the other side can notice.
const lineRest = 50 * time.Millisecond

// LocalAddr implements net.Conn.
func (c *serialConn) LocalAddr() net.Addr { return serialAddress(c.Name()) }

// RemoteAddr implements net.Conn.
func (c *serialConn) RemoteAddr() net.Addr { return serialAddress(c.Name()) }
