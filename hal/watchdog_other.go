//go:build !linux

package hal

import (
	"fmt"
	"time"
)

// OpenWatchdog works on Linux only.
func OpenWatchdog(device string, _ time.Duration) (Watchdog, error) {
	return nil, fmt.Errorf("open watchdog %s: %w", device, ErrUnsupported)
}
