//go:build !linux

package hal

import (
	"context"
	"fmt"
)

// Port is an open serial port. On this system there is none.
type Port struct{ Link }

// Open works on Linux only.
func (s Serial) Open(_ context.Context, device string) (*Port, error) {
	return nil, fmt.Errorf("open %s: %w", device, ErrUnsupported)
}
