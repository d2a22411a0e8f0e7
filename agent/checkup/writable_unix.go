//go:build unix

package checkup

import "syscall"

// writable says whether whoever asks may write there.
func writable(dir string) bool {
	const wOK = 2
	return syscall.Access(dir, wOK) == nil
}
