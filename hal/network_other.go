//go:build !linux

package hal

import (
	"context"
	"fmt"
)

// Netlink works on Linux only.
type Netlink struct{}

// Watch implements Network.
func (Netlink) Watch(context.Context, func(NetworkChange)) error {
	return fmt.Errorf("watch interfaces: %w", ErrUnsupported)
}
