package hal_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"reversald/hal"
)

// Opening a FIFO would wait for somebody to write into it.
func TestOpenSoftKeysDoesNotWaitForAFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "keys")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	soon(t, "OpenSoftKeys", func() {
		if _, err := hal.OpenSoftKeys(fifo); !errors.Is(err, hal.ErrKeyFile) {
			t.Errorf("%v, want ErrKeyFile", err)
		}
	})
}
