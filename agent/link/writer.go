package link

import (
	"errors"
	"sync"
	"time"

	"reversald/hal"
)

// Reasons a frame is refused before any byte of it left.
var (
	// ErrDown: there is no line, or it has ended.
	ErrDown = errors.New("link is down")
	// ErrBusy: the other side takes no bytes and as many frames wait as may.
	ErrBusy = errors.New("link is congested")
)

// Fate is what became of a frame.
type Fate uint8

// The fates of a frame.
const (
	// Left: the system took every byte.
	Left Fate = iota + 1
	// Waits: the line took some or none yet; the fate is reported later.
	Waits
	// Cut: the line broke in the middle; some bytes may have left.
	Cut
	// NothingLeft: the line broke, and provably no byte left.
	NothingLeft
)

// Writer puts frames on a line in order, without ever making its caller wait: what the system does
// not take at once is written by a goroutine of its own, and its fate is reported.
//
// Writing in the caller's goroutine first is not a luxury: a hand-over between threads costs more
// than the write, and on the way to the app it is the window in which a killed agent can not know
// whether the answer was delivered.
type Writer struct {
	line    hal.Link
	timeout time.Duration
	report  func(Tag, Fate)

	mu      sync.Mutex // guards waiting and closed; see the type's comment for why not the inbox
	waiting int        // frames in backlog, the one being written included
	closed  bool
	backlog chan frame
	done    chan struct{}
}

// Tag is the caller's name for what a frame carries.
type Tag struct {
	ID       uint64 // the payment; 0 for what is not a payment
	Reversal bool   // the frame concerns its reversal, not its request
}

// frame is one message on its way; left counts the bytes that may be gone.
type frame struct {
	tag   Tag
	bytes []byte
	left  int
}

// NewWriter starts a writer on a line. Frames that wait may take timeout each; at most backlogMax
// wait. report is called from the writer's own goroutine for every frame that Send said waits.
func NewWriter(
	line hal.Link, timeout time.Duration, backlogMax int, report func(Tag, Fate),
) *Writer {
	w := &Writer{
		line: line, timeout: timeout, report: report,
		backlog: make(chan frame, backlogMax), done: make(chan struct{}),
	}
	go w.drain()
	return w
}

// Send hands over a frame, length included. Left and Waits come without an error; an error means
// that provably no byte left.
func (w *Writer) Send(tag Tag, wire []byte) (Fate, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return NothingLeft, ErrDown
	}
	f := frame{tag: tag, bytes: wire}
	if w.waiting == 0 {
		n, err := w.line.TryWrite(wire)
		if err != nil {
			return NothingLeft, err // whoever reads the line sees its end by itself
		}
		if n == len(wire) {
			return Left, nil
		}
		f.left = n
	}
	if w.waiting == cap(w.backlog) {
		return NothingLeft, ErrBusy
	}
	w.waiting++
	w.backlog <- f
	return Waits, nil
}

// Close ends the line and returns when every fate has been reported.
func (w *Writer) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.backlog)
	}
	w.mu.Unlock()
	_ = w.line.Close()
	<-w.done
}

// Break ends the line without waiting: whoever reads it notices, and closes the writer.
func (w *Writer) Break() { _ = w.line.Close() }

// drain writes what waits, and says what became of it.
func (w *Writer) drain() {
	defer close(w.done)
	broken := false
	for f := range w.backlog {
		fate := NothingLeft
		if !broken {
			_ = w.line.SetWriteDeadline(time.Now().Add(w.timeout))
			n, err := w.line.Write(f.bytes[f.left:])
			f.left += n
			if err == nil {
				fate = Left
			} else {
				broken = true
				_ = w.line.Close() // half a frame may be gone: the line is of no more use
			}
		}
		if fate != Left && f.left > 0 {
			fate = Cut
		}
		w.mu.Lock()
		w.waiting--
		w.mu.Unlock()
		w.report(f.tag, fate)
	}
}
