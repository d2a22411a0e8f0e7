//go:build !linux

package hal

import (
	"fmt"
	"time"
)

// OpenSystem works on Linux only.
func OpenSystem() (*System, error) { return nil, fmt.Errorf("boot clock: %w", ErrUnsupported) }

// SinceBoot implements Clock.
func (*System) SinceBoot() time.Duration { return 0 }

func synchronised() bool { return false }
