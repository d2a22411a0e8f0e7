package haltest

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"reversald/hal"
)

// end is one end of a Line. The line's lock guards what can change.
type end struct {
	line          *Line
	out, in       *way
	peer          *end
	local, remote string

	closed   bool
	writing  bool // a Write is under way, perhaps waiting for room
	deadline time.Time
}

var _ hal.Link = (*end)(nil)

// Read implements hal.Link.
func (e *end) Read(p []byte) (int, error) {
	l := e.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if most := l.faults.Pieces; most > 0 && len(p) > most {
		p = p[:most]
	}
	for {
		if e.closed {
			return 0, gone("read", net.ErrClosed)
		}
		open := p
		if l.silent {
			open = p[:max(min(len(p), e.in.gate-e.in.arrived), 0)]
		}
		n, later := e.in.get(open, time.Now())
		switch {
		case n > 0:
			l.wake()
			return n, nil
		case !later.IsZero() || l.silent:
			// Something is still to come, or cannot be told from here.
		case l.broken:
			return 0, gone("read", syscall.ECONNRESET)
		case e.in.ended && !e.in.deaf:
			return 0, io.EOF
		}
		l.wait(later)
	}
}

// Write implements hal.Link.
func (e *end) Write(b []byte) (n int, err error) {
	l := e.line
	l.mu.Lock()
	defer l.mu.Unlock()
	for e.writing {
		if err := e.late(); err != nil {
			return 0, err
		}
		l.wait(e.deadline)
	}
	e.writing = true
	defer func() {
		e.writing = false
		l.wake()
	}()
	for {
		if err := e.late(); err != nil {
			return n, err
		}
		m, err := e.take(b[n:])
		n += m
		if err != nil || n == len(b) {
			return n, err
		}
		if m == 0 {
			l.wait(e.deadline)
		}
	}
}

// TryWrite implements hal.Link.
func (e *end) TryWrite(b []byte) (int, error) {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	if len(b) == 0 || e.writing {
		return 0, nil
	}
	n, err := e.take(b)
	if n > 0 {
		return n, nil // the next call meets what ended this one
	}
	return 0, err
}

// SetWriteDeadline implements hal.Link.
func (e *end) SetWriteDeadline(t time.Time) error {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	if e.closed {
		return gone("set write deadline", net.ErrClosed)
	}
	e.deadline = t
	e.line.wake()
	return nil
}

// Close implements hal.Link.
func (e *end) Close() error {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	e.closed = true
	e.out.ended = true
	e.line.wake()
	return nil
}

// Remote implements hal.Link.
func (e *end) Remote() string { return e.remote }

// Local implements hal.Link.
func (e *end) Local() string { return e.local }

// take moves what the line takes at once; 0, nil means that there is no room.
func (e *end) take(b []byte) (n int, err error) {
	l, w := e.line, e.out
	switch {
	case e.closed:
		return 0, gone("write", net.ErrClosed)
	case l.broken:
		return 0, gone("write", syscall.ECONNRESET)
	case len(b) == 0:
		return 0, nil
	case e.peer.closed && !l.silent && !w.deaf:
		w.passed += len(b)
		l.broken = true
		l.wake()
		return len(b), nil
	}
	n = len(b)
	if !w.deaf {
		n = min(n, l.faults.Buffer-w.size)
	}
	claim := n
	if limit, ok := w.cut.bytes(); ok && w.passed+n >= limit {
		n = limit - w.passed
		l.broken = true
		if n < claim && !l.faults.CutUnseen {
			claim, err = n, gone("write", syscall.ECONNRESET)
		}
	}
	if n > 0 {
		w.put(b[:n], time.Now())
	}
	w.passed += claim - n
	l.strike()
	l.wake()
	return claim, err
}

// late is the error of a write whose deadline has passed.
func (e *end) late() error {
	if !e.deadline.IsZero() && !time.Now().Before(e.deadline) && !e.closed && !e.line.broken {
		return fmt.Errorf("write: %w", os.ErrDeadlineExceeded)
	}
	return nil
}

// wait lets the lock go until something changes, or until a time if that is not zero.
func (l *Line) wait(until time.Time) {
	changed := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	if until.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

func gone(op string, cause error) error {
	return fmt.Errorf("%s: %w: %w", op, hal.ErrLinkGone, cause)
}
