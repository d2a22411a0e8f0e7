//go:build !linux

package hal

import (
	"context"
	"fmt"
)

// Watch works on Linux only.
func (PowerGPIO) Watch(context.Context, func(PowerState)) error {
	return fmt.Errorf("watch power: %w", ErrUnsupported)
}

// Watch works on Linux only.
func (PowerKey) Watch(context.Context, func(PowerState)) error {
	return fmt.Errorf("watch power: %w", ErrUnsupported)
}
