package hal

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// tlsWire is what tls.Conn takes for its socket. From the end of the handshake on it only keeps
// what is written, and sends it when it is told to: see tlsLink.
type tlsWire struct {
	Carrier
	urge func() // somebody should flush

	mu       sync.Mutex
	out      []byte // encrypted, and not sent yet
	buffered bool   // the handshake is over
	held     bool   // whoever encrypts will flush
	urged    bool   // a goroutine is about to
	parting  bool   // the end: what does not go at once does not go
	once     bool   // one read that brings something, and no more
	heard    bool
}

var _ net.Conn = (*tlsWire)(nil)

// wireBytesMax bounds what waits: a frame of 64 KiB in records, twice. A host that keeps asking for
// new keys and takes no answer gets no further than that.
const wireBytesMax = 160 << 10

var errWireFull = errors.New("the host takes nothing and asks for more")

// settle ends the handshake.
func (w *tlsWire) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buffered = true
}

// listenOnce lets one read through, so that a record that has arrived is looked at and no other is
// waited for.
func (w *tlsWire) listenOnce(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.once, w.heard = on, false
}

// Read implements net.Conn.
func (w *tlsWire) Read(p []byte) (int, error) {
	w.mu.Lock()
	over := w.once && w.heard
	w.mu.Unlock()
	if over {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := w.Carrier.Read(p)
	if n > 0 {
		w.mu.Lock()
		w.heard = true
		w.mu.Unlock()
	}
	return n, err
}

// Write implements net.Conn.
func (w *tlsWire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.buffered:
		return w.Carrier.Write(p)
	case w.parting:
		if len(w.out) == 0 {
			_, _ = w.TryWrite(p) // the goodbye, if it goes at once
		}
		return len(p), nil
	case len(w.out)+len(p) > wireBytesMax:
		return 0, errWireFull
	}
	w.out = append(w.out, p...)
	if !w.held && !w.urged {
		w.urged = true
		go w.urge()
	}
	return len(p), nil
}

// hold keeps what is written from now on; it returns how much waits already.
func (w *tlsWire) hold() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = true
	return len(w.out)
}

func (w *tlsWire) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = false
}

// truncate throws away what was written since; the line is over.
func (w *tlsWire) truncate(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = w.out[:min(n, len(w.out))]
}

func (w *tlsWire) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.out)
}

// flush sends all that waits, and says how many bytes the kernel took.
func (w *tlsWire) flush() (n int, err error) {
	for {
		w.mu.Lock()
		out := w.out
		w.out, w.urged = nil, false
		w.mu.Unlock()
		if len(out) == 0 {
			return n, nil
		}
		m, err := w.Carrier.Write(out)
		if n += m; err != nil {
			return n, err
		}
	}
}

// flushNow sends what the kernel takes at once.
func (w *tlsWire) flushNow() (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.TryWrite(w.out)
	w.out = w.out[n:]
	return n, err
}

// part is the beginning of the end: nobody waits for anything any more.
func (w *tlsWire) part() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parting = true
}

// Close implements net.Conn.
func (w *tlsWire) Close() error { return w.Carrier.Close() }

// wireEnd is the name of an end of a line.
type wireEnd string

// Network implements net.Addr.
func (wireEnd) Network() string { return "link" }

// String implements net.Addr.
func (e wireEnd) String() string { return string(e) }

// LocalAddr implements net.Conn.
func (w *tlsWire) LocalAddr() net.Addr { return wireEnd(w.Local()) }

// RemoteAddr implements net.Conn.
func (w *tlsWire) RemoteAddr() net.Addr { return wireEnd(w.Remote()) }

// SetDeadline implements net.Conn. The library sets one when it says goodbye, which waits for
// nothing here.
func (w *tlsWire) SetDeadline(t time.Time) error {
	if err := w.SetReadDeadline(t); err != nil {
		return err
	}
	return w.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (w *tlsWire) SetReadDeadline(t time.Time) error { return w.Carrier.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (w *tlsWire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.parting {
		return nil
	}
	return w.Carrier.SetWriteDeadline(t)
}
