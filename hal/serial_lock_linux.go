package hal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockFile is the path of a UUCP lock file that is ours; empty when there is none.
//
// The file is a courtesy: terminal programs look for it, and it tells people who holds the port.
// The lock that counts is the flock on the device, which goes with the process and binds root too
// (TIOCEXCL, which the library sets, does not).
type lockFile string

// claim makes the device ours, or says who has it.
func (p *Port) claim(dir, path string) error {
	err := p.control(func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return busy(dir, path)
	} else if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	name := lockName(dir, path)
	if pid := holder(name); pid != 0 && pid != os.Getpid() && holds(pid, path) {
		return busy(dir, path)
	}
	// What is there now is stale: its process has gone, or the number is another's by now (after a
	// power cut it easily is), or ours, and we hold the flock.
	_ = os.Remove(name)
	//nolint:gosec // other people's terminal programs must be able to read it
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return busy(dir, path) // another program was faster
	} else if err != nil {
		return nil //nolint:nilerr // no such directory, or not ours to write: the flock will do
	}
	p.lock = lockFile(name)
	_, err = fmt.Fprintf(f, "%10d\n", os.Getpid()) // the HDB format, which all of them read
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (l lockFile) remove() {
	if l != "" {
		_ = os.Remove(string(l))
	}
}

// lockName is where the lock of a device is: LCK..ttyS0, or LCK..pts_3 for /dev/pts/3.
func lockName(dir, path string) string {
	name := strings.ReplaceAll(strings.TrimPrefix(path, "/dev/"), "/", "_")
	return filepath.Join(dir, "LCK.."+name)
}

// busy says who holds the device, as far as the lock file knows.
func busy(dir, path string) error {
	if pid := holder(lockName(dir, path)); pid != 0 {
		return fmt.Errorf("%w by pid %d", ErrBusy, pid)
	}
	return ErrBusy
}

// holder is the process named in a lock file, 0 if there is no file or no sense in it.
func holder(name string) int {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// holds tells whether the process has the device open. Where we may not look, a process that is
// there is believed to.
func holds(pid int, path string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	} else if err != nil {
		return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
	}
	for _, file := range files {
		target, err := os.Readlink(filepath.Join(dir, file.Name()))
		if err == nil && target == path {
			return true
		}
	}
	return false
}
