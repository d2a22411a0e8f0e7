package hal

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// prepare sets what must be in force before the first packet: the user timeout covers the
// connecting itself on newer kernels, and the interface decides where the SYN goes.
func (t TCP) prepare(c syscall.RawConn) error {
	var err error
	cerr := c.Control(func(fd uintptr) {
		if d := t.userTimeout(); d > 0 {
			ms := int(max(d/time.Millisecond, 1))
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms)
			if err != nil {
				err = fmt.Errorf("set user timeout: %w", err)
				return
			}
		}
		if t.Interface != "" {
			if err = unix.BindToDevice(int(fd), t.Interface); err != nil {
				err = fmt.Errorf("bind to interface %q: %w", t.Interface, err)
			}
		}
	})
	if cerr != nil {
		return cerr
	}
	return err
}

// sendNow gives the kernel what it takes without waiting. An error comes with 0.
func sendNow(fd uintptr, b []byte) (int, error) {
	for {
		n, err := unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case err != nil:
			return 0, err
		}
		return n, nil
	}
}

// writable tells whether the kernel has room for some bytes.
func writable(fd uintptr) bool {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(set, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n == 1
	}
}
