package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Link is one open line to the host: bytes in order, in both directions.
//
// One goroutine reads while others write and close. Two writes never mix their bytes. A Link that
// has failed stays failed: there is no way back but another Dial.
type Link interface {
	// Read blocks until there is at least one byte, and never returns 0, nil for a non-empty p.
	// io.EOF is an orderly end by the other side; any other error wraps ErrLinkGone. Somebody
	// should always be reading: that is how the end of a line is noticed at once.
	io.Reader

	// Write writes all of b, or returns how many of its bytes may have left together with the
	// reason. 0 with an error means that provably none left. os.ErrDeadlineExceeded is the write
	// deadline; any other error wraps ErrLinkGone. After a partial write only Close makes sense,
	// as the other side holds half a frame.
	Write(b []byte) (int, error)

	// TryWrite writes what the system takes at once and never waits. 0, nil means that it would
	// have had to wait (also for another Write that is under way), and that no byte left. It pays
	// no attention to the write deadline. Its errors all wrap ErrLinkGone and come with 0.
	TryWrite(b []byte) (int, error)

	// SetWriteDeadline is the latest moment for Write to return, also for one that is waiting.
	// The zero time means the implementation's own limit, or none.
	SetWriteDeadline(t time.Time) error

	// Close ends the line and unblocks Read and Write, which then return ErrLinkGone. Closing
	// twice is not an error. What Write has taken may still be under way when Close returns.
	Close() error

	// Remote and Local name the two ends for people: an address with a port, or a device.
	Remote() string
	Local() string
}

// Dialer opens links. The form of the address is the implementation's: "host:port" for [TCP], the
// path of a device for [Serial]. An error means that nothing was sent on behalf of the caller.
type Dialer interface {
	Dial(ctx context.Context, address string) (Link, error)
}

// While a link is in use.
var (
	// ErrLinkGone is wrapped by every error that means the line is no more: cut, reset, hung up,
	// timed out by the system, or closed by us (then net.ErrClosed is wrapped as well).
	ErrLinkGone = errors.New("link is gone")
)

// While a link is being opened.
var (
	// ErrBusy is wrapped when somebody else holds the device.
	ErrBusy = errors.New("device is in use")
	// ErrNotSerial is wrapped when the path is something other than a serial port.
	ErrNotSerial = errors.New("not a serial port")
	// ErrUnsupported is wrapped when this build or system cannot do what was asked.
	ErrUnsupported = errors.New("not supported on this system")
)

// gone wraps a cause so that the caller need only know ErrLinkGone, and a person sees both.
func gone(op string, cause error) error {
	return fmt.Errorf("%s: %w: %w", op, ErrLinkGone, cause)
}
