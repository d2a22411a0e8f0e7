package hal

import "time"

// Watchdog resets the terminal when it has not been fed for its time.
type Watchdog interface {
	// Feed starts its time anew.
	Feed() error
	// Timeout is how long it waits, as it has said itself; it may differ from what was asked for.
	Timeout() time.Duration
	// Close lets it go without a reset, where it can be let go. A process that ends without Close
	// is a reset.
	Close() error
}
