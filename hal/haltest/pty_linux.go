package haltest

import (
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Pty makes a pair of terminals joined back to back: the path of the slave is a serial port for
// hal.Serial, the master is the other end of its cable. Closing the master is a hang-up. The test
// closes the master if it does not do so itself, and is skipped where there are no ptys.
//
// The slave is kept open by the helper, so a port that is closed does not show on the master. The
// master has deadlines, and closing it ends a Read that waits.
func Pty(tb testing.TB) (master *os.File, slave string) {
	tb.Helper()
	m, s, err := pty.Open()
	if err != nil {
		tb.Skipf("no pty here: %v", err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	// The package opens the master for blocking calls, which nothing can end.
	fd, err := unix.FcntlInt(m.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	_ = m.Close()
	if err != nil {
		tb.Fatalf("pty: %v", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		tb.Fatalf("pty: %v", err)
	}
	master = os.NewFile(uintptr(fd), m.Name())
	tb.Cleanup(func() { _ = master.Close() })
	return master, s.Name()
}
