package hal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bootIDPath holds a random UUID in text, made by the kernel at boot.
const bootIDPath = "/proc/sys/kernel/random/boot_id"

// OpenSystem reads the boot id and tries the boot clock. The error says what the system lacks.
func OpenSystem() (*System, error) {
	text, err := os.ReadFile(bootIDPath)
	if err != nil {
		return nil, fmt.Errorf("read boot id: %w", err)
	}
	boot, err := parseBootID(string(text))
	if err != nil {
		return nil, fmt.Errorf("read boot id: %w", err)
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return nil, fmt.Errorf("read boot clock: %w", err)
	}
	return &System{boot: boot}, nil
}

// SinceBoot implements Clock.
func (*System) SinceBoot() time.Duration {
	var ts unix.Timespec
	// OpenSystem has seen it work, and the kernel has no other reason to refuse.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Duration(ts.Nano())
}

// synchronised tells whether a time daemon keeps the clock in step, as the kernel has been told.
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

var _ ClockWatch = (*System)(nil)

// farAway is a moment that a timer never reaches, within 32 bits.
const farAway = 1<<31 - 1

// Jumps implements ClockWatch. The kernel ends a timer of the wall clock when that is set, and when
// the terminal wakes up.
func (*System) Jumps(ctx context.Context, report func()) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("watch the clock: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "clock")
	stop := context.AfterFunc(ctx, func() { _ = timer.Close() })
	defer func() {
		stop()
		_ = timer.Close()
	}()
	for {
		if err := armTimer(timer); err != nil {
			return fmt.Errorf("watch the clock: %w", err)
		}
		_, err := timer.Read(make([]byte, 8))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, unix.ECANCELED):
			report()
		case err != nil:
			return fmt.Errorf("watch the clock: %w", err)
		}
	}
}

func armTimer(timer *os.File) error {
	raw, err := timer.SyscallConn()
	if err != nil {
		return err
	}
	const flags = unix.TFD_TIMER_ABSTIME | unix.TFD_TIMER_CANCEL_ON_SET
	when := &unix.ItimerSpec{Value: unix.NsecToTimespec(farAway * int64(time.Second))}
	cerr := raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), flags, when, nil) })
	return errors.Join(cerr, err)
}

func parseBootID(text string) (id [16]byte, err error) {
	digits := strings.ReplaceAll(strings.TrimSpace(text), "-", "")
	if len(digits) != hex.EncodedLen(len(id)) {
		return id, fmt.Errorf("%d hex digits, want %d", len(digits), hex.EncodedLen(len(id)))
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return [16]byte{}, err
	}
	return id, nil
}
