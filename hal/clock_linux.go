package hal

import (
	"encoding/hex"
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
