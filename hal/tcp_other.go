//go:build !linux

package hal

import "syscall"

// prepare refuses what only Linux does, if it was asked for by name.
func (t TCP) prepare(syscall.RawConn) error {
	if t.Interface != "" || t.UserTimeout > 0 {
		return ErrUnsupported
	}
	return nil
}

func sendNow(uintptr, []byte) (int, error) { return 0, ErrUnsupported }

func writable(uintptr) bool { return false }
