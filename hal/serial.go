package hal

import (
	"context"
	"fmt"
	"time"
)

// Parity of a serial line.
type Parity uint8

// The parities, as 8N1 and 7E1 have them in the middle.
const (
	ParityNone Parity = iota
	ParityOdd
	ParityEven
)

// What a zero field of Serial stands for.
const (
	serialBaud         = 115200
	serialDataBits     = 8
	serialStopBits     = 1
	serialWriteTimeout = 10 * time.Second
	serialLockDir      = "/var/lock"
)

// serialLinger is how long Close lets written bytes go out before it throws them away: time for
// a frame of 1 KiB at 57600 baud. Without a limit the kernel waits up to 30 seconds for a cable
// that nobody reads.
const serialLinger = 200 * time.Millisecond

// Serial opens serial ports; the address is the path of the device, for example /dev/ttyS0.
// The zero value means 115200 8N1 without flow control.
type Serial struct {
	Baud     int    // bits per second, any the hardware does; 0 = 115200
	DataBits int    // 5 to 8; 0 = 8
	Parity   Parity // zero value: none
	StopBits int    // 1 or 2; 0 = 1

	// WriteTimeout bounds every Write for which no deadline is set; 0 = 10 s, our choice.
	WriteTimeout time.Duration

	// LockDir is where the UUCP lock file goes (LCK..ttyS0), which minicom and its like respect;
	// empty = /var/lock. A directory that is not there or not writable is passed over: what
	// keeps a second reversald out is a lock on the device itself.
	LockDir string
}

// Dial implements Dialer with Open.
func (s Serial) Dial(ctx context.Context, device string) (Link, error) {
	p, err := s.Open(ctx, device)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Modem is what the other side says on the control lines.
type Modem struct {
	CTS, DSR, RI, DCD bool
}

// withDefaults puts in what the zero values stand for, and refuses what no line can be.
func (s Serial) withDefaults() (Serial, error) {
	if s.Baud == 0 {
		s.Baud = serialBaud
	}
	if s.DataBits == 0 {
		s.DataBits = serialDataBits
	}
	if s.StopBits == 0 {
		s.StopBits = serialStopBits
	}
	if s.WriteTimeout == 0 {
		s.WriteTimeout = serialWriteTimeout
	}
	if s.LockDir == "" {
		s.LockDir = serialLockDir
	}
	switch {
	case s.Baud < 0:
		return s, fmt.Errorf("%d baud: want a positive number", s.Baud)
	case s.DataBits < 5 || s.DataBits > 8:
		return s, fmt.Errorf("%d data bits: want 5 to 8", s.DataBits)
	case s.Parity > ParityEven:
		return s, fmt.Errorf("parity %d: want none, odd or even", s.Parity)
	case s.StopBits < 1 || s.StopBits > 2:
		return s, fmt.Errorf("%d stop bits: want 1 or 2", s.StopBits)
	case s.WriteTimeout < 0:
		return s, fmt.Errorf("write timeout %v: want a positive duration", s.WriteTimeout)
	}
	return s, nil
}
