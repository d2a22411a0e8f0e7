//go:build linux

package hal

import (
	"syscall"
	"testing"
)

// FuzzNetlink: whatever the socket brings, nothing panics and nothing grows without end.
func FuzzNetlink(f *testing.F) {
	rib, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err == nil {
		f.Add(rib)
	}
	if rib, err = syscall.NetlinkRIB(syscall.RTM_GETADDR, syscall.AF_UNSPEC); err == nil {
		f.Add(rib)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		messages, err := syscall.ParseNetlinkMessage(b)
		if err != nil {
			return
		}
		n := interfaces{}
		for _, m := range messages {
			n.netlink(m, map[int32]bool{})
		}
		if len(n) > len(messages) {
			t.Errorf("%d interfaces of %d messages", len(n), len(messages))
		}
	})
}
