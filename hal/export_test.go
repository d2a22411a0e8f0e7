//go:build linux

package hal

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"
)

// SocketOption looks at the socket under a link.
func SocketOption(tb testing.TB, l Link, level, name int) int {
	tb.Helper()
	raw := l.(*tlsLink).wire.Carrier.(tcpCarrier).raw
	value := 0
	var err error
	if cerr := raw.Control(func(fd uintptr) {
		value, err = unix.GetsockoptInt(int(fd), level, name)
	}); cerr != nil || err != nil {
		tb.Fatal(cerr, err)
	}
	return value
}

// NetlinkHere opens the socket in this thread's network; the watch may be run from any.
func NetlinkHere(report func(NetworkChange)) (func(context.Context) error, error) {
	socket, err := openNetlink()
	return func(ctx context.Context) error { return watchNetlink(ctx, socket, report) }, err
}
