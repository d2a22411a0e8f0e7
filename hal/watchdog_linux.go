package hal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The request of <linux/watchdog.h> that sets the time, in whole seconds, and gives back what it
// has become: _IOWR('W', 6, int).
const watchdogSetTimeout = 0xc0045706

// magicClose is what must be written last, or the driver takes the end for a crash.
const magicClose = "V"

type watchdogDevice struct {
	file    *os.File
	timeout time.Duration
}

// OpenWatchdog opens a watchdog device, which begins to wait at once. A driver that can not be told
// how long keeps its own time, and is fed as if it had agreed.
func OpenWatchdog(device string, timeout time.Duration) (Watchdog, error) {
	file, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open watchdog: %w", err)
	}
	w := &watchdogDevice{file: file, timeout: timeout}
	seconds := int32(max(timeout/time.Second, 1))
	err = ioctl(file, watchdogSetTimeout, &seconds)
	switch {
	case err == nil && seconds > 0:
		w.timeout = time.Duration(seconds) * time.Second
	case err != nil && !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.EOPNOTSUPP) &&
		!errors.Is(err, unix.EINVAL):
		_ = w.Close() // it has not been fed
		return nil, fmt.Errorf("set watchdog %s: %w", device, err)
	}
	return w, nil
}

func (w *watchdogDevice) Feed() error {
	_, err := w.file.WriteString("\x00") // any byte but the magic one
	return err
}

func (w *watchdogDevice) Timeout() time.Duration { return w.timeout }

func (w *watchdogDevice) Close() error {
	_, err := w.file.WriteString(magicClose)
	return errors.Join(err, w.file.Close())
}
