package haltest

import (
	"sync"
	"time"

	"reversald/hal"
)

// Limit is a number of bytes after which something happens. The zero value means never.
type Limit int

// After is the Limit that strikes when so many bytes have passed; After(0) is before the first.
func After(bytes int) Limit { return Limit(bytes + 1) }

// bytes is what may pass, and whether there is a limit at all.
func (l Limit) bytes() (int, bool) { return int(l) - 1, l > 0 }

// Faults is what a line does wrong. The zero value does nothing wrong.
type Faults struct {
	Refuse    error         // Dial fails with it, and no line comes to be
	Hang      bool          // Dial waits until its context ends
	DialDelay time.Duration // Dial takes so long

	// The line breaks in the write that reaches the limit: so many bytes arrive at the host (the
	// terminal), and no more. The write returns how many, and ErrLinkGone if that was not all.
	CutToHost     Limit
	CutToTerminal Limit
	// CutUnseen lets the write that reaches the limit report all of its bytes as written, as
	// one into the buffer of a kernel does. Both ends find out with their next call.
	CutUnseen bool

	// From the limit on bytes are taken and lost, and the end of the line is not seen either.
	SwallowToHost     Limit
	SwallowToTerminal Limit

	// HalfOpen makes the line silent (see Line.Silence) when so many bytes went to the host.
	HalfOpen Limit

	// Every byte arrives so much later than it was written, and in order.
	DelayToHost     time.Duration
	DelayToTerminal time.Duration

	Pieces int // at most so many bytes in one Read; 0 = as many as are there
	Buffer int // bytes one direction holds before Write must wait; 0 = 64 KiB
}

// bufferBytes is what a direction holds when Faults does not say. About what loopback TCP does.
const bufferBytes = 64 << 10

// Line is an in-memory line with a buffer in either direction. Terminal is the end that Dial gave
// away, Host is the test's. Like TCP, it takes one write to an end that has been closed, loses the
// bytes, and is broken from then on.
type Line struct {
	Terminal, Host hal.Link
	Address        string // as dialled
	Number         int    // of the dial that made it, from 1; 0 for NewLine

	faults Faults

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced when anything below changes
	toHost     way
	toTerminal way
	broken     bool // nothing is taken any more; what is under way still arrives
	silent     bool
}

// way is one direction of a line. The line's lock guards it.
type way struct {
	chunks  []chunk // what is under way or has arrived, oldest first
	size    int     // bytes in chunks
	passed  int     // bytes ever taken
	arrived int     // bytes ever read
	gate    int     // while the line is silent, reading stops when so many have been read
	ended   bool    // the writing end is closed: the end comes after the chunks
	deaf    bool    // swallows what it is given, and the end too
	delay   time.Duration
	cut     Limit
	swallow Limit
}

type chunk struct {
	bytes []byte
	due   time.Time
}

// NewLine makes a line with the faults given; those of dialling do not matter here.
func NewLine(f Faults) *Line { return newLine(f, "host", 0) }

func newLine(f Faults, address string, number int) *Line {
	if f.Buffer <= 0 {
		f.Buffer = bufferBytes
	}
	l := &Line{
		Address: address,
		Number:  number,
		faults:  f,
		changed: make(chan struct{}),
	}
	l.toHost = way{delay: f.DelayToHost, cut: f.CutToHost, swallow: f.SwallowToHost}
	l.toTerminal = way{
		delay: f.DelayToTerminal, cut: f.CutToTerminal, swallow: f.SwallowToTerminal,
	}
	for _, w := range []*way{&l.toHost, &l.toTerminal} {
		w.deaf = w.swallow == After(0)
	}
	terminal := &end{line: l, out: &l.toHost, in: &l.toTerminal, local: "terminal", remote: address}
	host := &end{line: l, out: &l.toTerminal, in: &l.toHost, local: address, remote: "terminal"}
	terminal.peer, host.peer = host, terminal
	l.Terminal, l.Host = terminal, host
	l.strike()
	return l
}

// Cut breaks the line now: what is under way can still be read, then both ends get ErrLinkGone.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = false
	l.broken = true
	l.wake()
}

// Reset breaks the line now, and whatever has not been read is lost.
func (l *Line) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = false
	l.broken = true
	for _, w := range []*way{&l.toHost, &l.toTerminal} {
		w.chunks, w.size = nil, 0
	}
	l.wake()
}

// Silence is a firewall, or a cell that has been left: from now on nothing passes in either
// direction, nor is the end of the line seen. Writes fill the buffer and then wait. When it is
// turned off, what was held back arrives.
func (l *Line) Silence(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on == l.silent {
		return
	}
	l.silent = on
	l.toHost.gate, l.toTerminal.gate = l.toHost.passed, l.toTerminal.passed
	l.wake()
}

// Written is how many bytes either end was told are written, whatever became of them.
func (l *Line) Written() (toHost, toTerminal int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.toHost.passed, l.toTerminal.passed
}

// wake lets everybody who waits look again.
func (l *Line) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// strike makes the line half-open when its limit is reached.
func (l *Line) strike() {
	limit, ok := l.faults.HalfOpen.bytes()
	if !ok || l.toHost.passed < limit {
		return
	}
	l.faults.HalfOpen = 0 // once: the test may end the silence
	l.silent = true
	l.toHost.gate, l.toTerminal.gate = limit, l.toTerminal.passed
}

// put adds bytes to a direction, or to nothing where it swallows.
func (w *way) put(b []byte, now time.Time) {
	keep := len(b)
	if limit, ok := w.swallow.bytes(); ok {
		keep = max(min(limit-w.passed, keep), 0)
		w.deaf = w.passed+len(b) >= limit
	}
	w.passed += len(b)
	if keep == 0 {
		return
	}
	w.chunks = append(w.chunks, chunk{append([]byte(nil), b[:keep]...), now.Add(w.delay)})
	w.size += keep
}

// get moves what is due to p; later is when the next byte is, if one is under way.
func (w *way) get(p []byte, now time.Time) (n int, later time.Time) {
	for n < len(p) && len(w.chunks) > 0 {
		first := &w.chunks[0]
		if first.due.After(now) {
			return n, first.due
		}
		m := copy(p[n:], first.bytes)
		n += m
		if first.bytes = first.bytes[m:]; len(first.bytes) == 0 {
			w.chunks = w.chunks[1:]
		}
	}
	w.size -= n
	w.arrived += n
	return n, time.Time{}
}
