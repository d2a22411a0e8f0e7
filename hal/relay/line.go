package relay

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Why a line or a call is no more, or never was.
var (
	// ErrLeft: the other end has ended the relay; the text says why.
	ErrLeft = errors.New("the other end has left the relay")
	// ErrEscaped: a person at the other end has typed the way out instead of a program framing.
	ErrEscaped = errors.New("left by +++")
	// ErrNobody: nobody has answered for as long as Options.Patience.
	ErrNobody = errors.New("nobody answers on the cable")
	// ErrDown: there is no session with the other end.
	ErrDown = errors.New("the relay is not connected")
)

// Options say how a line is run.
type Options struct {
	Baud int // of the port; 0 = 115200
	// Patience is how long Run goes on without hearing the other end; 0 = for ever.
	Patience time.Duration
	// Escape lets a person who has taken the program's place leave with +++ after a silence.
	Escape bool
	// Offer is told to the other end when a session begins: the addresses our user has named.
	Offer []string
	// Offered is called with what the other end offers, from Run's goroutine; an error ends the
	// relay and is told to the other end. nil: offers are ignored.
	Offered func(addresses []string) error
	// Up and Offered are called with the line's lock held: they must not call it.
	//
	// Up is called when a session begins (true) and when it is lost (false). nil: nobody cares.
	Up func(bool)
}

// Stats count what happened on a line.
type Stats struct {
	Frames int // that arrived whole
	Bad    int // that were torn
	Resent int // packets sent more than once
}

// Line is one end of a relay: it owns the port while Run runs.
type Line struct {
	port    io.ReadWriter
	options Options
	begun   time.Time
	wake    chan struct{} // something to send, or to end for

	mu      sync.Mutex // guards all below; nothing waits while holding it
	engine  *engine
	stats   Stats
	control [][]byte // packets of ours that wait for room, before any call's
	call    *Call    // the one there is; nil: none
	lastID  byte     // of the calls this end opened
	calls   chan *Call
	offers  []string // of the other end, so far
	leaving bool
	refusal error // why we are leaving, if the offers were refused
	down    bool  // Run has ended
}

const (
	defaultBaud = 115200
	// controlMax is how many packets that open and close calls may wait.
	controlMax = 16
	// framesMax is how many frames wait to be looked at.
	framesMax = 2 * window
	// chunkBytes is how much is read at once.
	chunkBytes = 512
	// escapeSilence is how long nothing may come before +++.
	escapeSilence = time.Second
)

// NewLine makes an end of a relay over a port that is open, and set to 8 bits without flow control.
func NewLine(port io.ReadWriter, o Options) *Line {
	if o.Baud <= 0 {
		o.Baud = defaultBaud
	}
	var number [4]byte
	_, _ = rand.Read(number[:]) // it never fails; and zeroes would only be a bad number
	return &Line{
		port: port, options: o, begun: time.Now(), wake: make(chan struct{}, 1),
		engine: newEngine(binary.BigEndian.Uint32(number[:]), o.Baud),
		calls:  make(chan *Call, 1),
	}
}

// heard is what the reading goroutine hands on: a frame, or the end.
type heard struct {
	frame Frame
	bad   int
	err   error
}

// Run carries the relay until ctx ends, the port fails (its own error), or either end leaves. The
// reading goroutine ends with the port's next Read: close the port, or let Read return an error,
// when Run has returned. A port whose Write fails ends the relay; one that takes no bytes must
// have a limit of its own.
func (l *Line) Run(ctx context.Context) error {
	frames := make(chan heard, framesMax)
	done := make(chan struct{})
	defer close(done)
	go l.listen(frames, done)
	stop := context.AfterFunc(ctx, l.kick)
	defer stop()
	err := l.carry(ctx, frames)
	l.mu.Lock()
	l.down = true
	l.dropCall(err)
	l.mu.Unlock()
	return err
}

// Leave ends the relay: the other end is told why, and Run returns.
func (l *Line) Leave(why string) {
	l.mu.Lock()
	if !l.leaving {
		l.leaving = true
		l.engine.leave(why)
	}
	l.mu.Unlock()
	l.kick()
}

// Stats are the counts so far.
func (l *Line) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Resent = l.engine.resent
	return l.stats
}

func (l *Line) now() instant { return time.Since(l.begun) }

func (l *Line) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// listen reads the port until it fails.
func (l *Line) listen(frames chan<- heard, done <-chan struct{}) {
	var d Decoder
	var way escapeWay
	hand := func(h heard) bool {
		h.bad, d.Bad = d.Bad, 0
		select {
		case frames <- h:
			return true
		case <-done:
			return false
		}
	}
	chunk := make([]byte, chunkBytes)
	for {
		n, err := l.port.Read(chunk)
		if l.options.Escape && way.typed(chunk[:n], time.Now()) {
			hand(heard{err: ErrEscaped})
			return
		}
		for _, b := range chunk[:n] {
			if f, ok := d.Feed(b); ok && !hand(heard{frame: f}) {
				return
			}
		}
		if err != nil {
			hand(heard{err: err})
			return
		}
	}
}

// escapeWay watches for three plus signs after a silence: what a person types, and no frame is.
type escapeWay struct {
	last time.Time
	plus int
}

func (w *escapeWay) typed(chunk []byte, now time.Time) bool {
	if now.Sub(w.last) >= escapeSilence {
		w.plus = 0
	} else if w.plus == 0 {
		w.plus = -1 // in the middle of something
	}
	w.last = now
	for _, b := range chunk {
		if b != '+' || w.plus < 0 {
			w.plus = -1
			continue
		}
		w.plus++
	}
	return w.plus == 3
}

// carry is the loop: it writes what the engine wants written, and else waits for frames.
func (l *Line) carry(ctx context.Context, frames <-chan heard) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	wire := make([]byte, 0, wireBytesMax)
	for {
		f, ok, wait, err := l.turn(ctx)
		if err != nil {
			return err
		}
		if ok {
			wire = AppendFrame(wire[:0], f)
			l.mu.Lock()
			l.engine.sent(f, len(wire), l.now())
			l.mu.Unlock()
			if _, err := l.port.Write(wire); err != nil {
				return fmt.Errorf("relay: %w", err)
			}
			wait = 0
		}
		timer.Reset(wait)
		select {
		case h := <-frames:
			if err := l.arrived(h); err != nil {
				return err
			}
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// turn asks the engine what to do.
func (l *Line) turn(ctx context.Context) (f Frame, ok bool, wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	e := l.engine
	if ctx.Err() != nil && !l.leaving {
		l.leaving = true
		e.leave("the relay was stopped")
	}
	if e.deaf(now) {
		l.lost(errors.New("the cable is silent"))
	}
	if p := l.options.Patience; p > 0 && now-e.heard >= p && !l.leaving {
		return f, false, 0, ErrNobody
	}
	l.feed()
	f, ok, wake := e.next(now, l.ownRoom())
	if !ok && l.leaving && e.leaving == 0 {
		if err := ctx.Err(); err != nil {
			return f, false, 0, err
		}
		if l.refusal != nil {
			return f, false, 0, l.refusal
		}
		return f, false, 0, ErrLeft
	}
	return f, ok, max(wake-now, 0), nil
}

// feed moves what waits into the engine. Calls write there by themselves.
func (l *Line) feed() {
	for len(l.control) > 0 && l.engine.offer(l.control[0]) {
		l.control = l.control[1:]
	}
	if l.call != nil {
		l.call.changed()
	}
}

// ownRoom is how many packets this end has room for.
func (l *Line) ownRoom() int {
	if l.call == nil {
		return window
	}
	return min(window, max(0, (keptBytesMax-len(l.call.kept))/PayloadBytesMax))
}

func (l *Line) arrived(h heard) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Bad += h.bad
	if h.err != nil {
		return h.err
	}
	l.stats.Frames++
	was := l.engine.up
	packets, begun := l.engine.receive(h.frame, l.now())
	if begun {
		l.lost(errors.New("the other end has started anew"))
	}
	if l.engine.up && (!was || begun) {
		l.began()
	}
	for _, p := range packets {
		if err := l.packet(p); err != nil {
			return err
		}
	}
	if why := l.engine.ended; why != "" {
		return fmt.Errorf("%w: %s", ErrLeft, printable(why))
	}
	return nil
}

// began says what there is to say first.
func (l *Line) began() {
	if l.options.Up != nil {
		l.options.Up(true)
	}
	for _, address := range l.options.Offer {
		l.say(packetOffer, 0, address)
	}
	if len(l.options.Offer) > 0 {
		l.say(packetOffered, 0, "")
	}
}

// lost ends what was under way in a session that is no more.
func (l *Line) lost(cause error) {
	l.control = nil
	l.dropCall(cause)
	if l.options.Up != nil {
		l.options.Up(false)
	}
}

// printable is a text from the other end, without what a terminal would act on.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '.'
		}
	}
	return string(b)
}
