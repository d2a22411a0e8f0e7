package haltest

import (
	"os"
	"testing"

	"github.com/creack/pty"
)

// Pty makes a pair of terminals joined back to back: the path of the slave is a serial port for
// hal.Serial, the master is the other end of its cable. Closing the master is a hang-up. The test
// closes the master if it does not do so itself, and is skipped where there are no ptys.
//
// The slave is kept open by the helper, so a port that is closed does not show on the master.
func Pty(t testing.TB) (master *os.File, slave string) {
	t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		t.Skipf("no pty here: %v", err)
	}
	t.Cleanup(func() {
		s.Close()
		m.Close()
	})
	return m, s.Name()
}
