package haltest

import (
	"reversald/hal"
	"time"
)

// Limit is a number of bytes after which something happens. The zero value means never.
type Limit int

// After is the Limit that strikes when so many bytes have passed; After(0) strikes at once.
func After(bytes int) Limit { return Limit(bytes + 1) }

// Faults is what a line does wrong. The zero value does nothing wrong.
type Faults struct {
	Refuse    error         // Dial fails with it, and no line comes to be
	Hang      bool          // Dial waits until its context ends
	DialDelay time.Duration // Dial takes so long

	CutToHost     Limit // the line breaks when so many bytes went to the host
	CutToTerminal Limit // the line breaks when so many bytes went to the terminal
	CutUnseen     bool  // the write that meets the cut reports success, as one into a kernel buffer does

	SwallowToHost     Limit // from then on bytes to the host are taken and lost
	SwallowToTerminal Limit // from then on bytes to the terminal are taken and lost
	HalfOpen          Limit // after so many bytes to the host nothing passes either way, and no end is seen

	DelayToHost     time.Duration // bytes arrive so much later
	DelayToTerminal time.Duration

	Pieces int // at most so many bytes in one Read; 0 = as many as are there
	Buffer int // bytes one direction holds before Write must wait; 0 = 64 KiB
}

// Line is an in-memory line. Terminal is the end that Dial gave away, Host is the test's.
type Line struct {
	Terminal, Host hal.Link
	Address        string
}

// NewLine makes a line with the faults given (those of dialling do not matter here).
func NewLine(f Faults) *Line { return &Line{} }

// Cut breaks the line now: what has arrived can be read, then both ends get ErrLinkGone.
func (l *Line) Cut() {}

// Reset breaks the line now, and what has not been read is lost.
func (l *Line) Reset() {}

// Silence makes the line swallow everything from now on, or heals it.
func (l *Line) Silence(on bool) {}
