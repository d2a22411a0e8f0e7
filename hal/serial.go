package hal

import (
	"context"
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

// Serial opens serial ports; the address is the path of the device, for example /dev/ttyS0.
// The zero value means 115200 8N1.
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
