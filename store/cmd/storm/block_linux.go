package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"reversald/store"
)

// blockCourt judges states of a whole disk: the image is that of a block device with ext4, which
// the kernel mounts, replaying its own journal, before the store may open what is on it.
type blockCourt struct {
	file, mount, device string
	options             string
	loop                *os.File
}

// diskName is what the backing file of the disk is called.
const diskName = "disk.img"

func openBlockCourt(dir, options string) (*blockCourt, error) {
	b := &blockCourt{
		file: filepath.Join(dir, diskName), mount: filepath.Join(dir, "mnt"), options: options,
	}
	if b.options == "defaults" {
		b.options = ""
	}
	if err := os.MkdirAll(b.mount, 0o700); err != nil {
		return nil, err
	}
	syscall.Unmount(b.mount, syscall.MNT_DETACH) //nolint:errcheck // what a dead worker has left
	return b, nil
}

// attach gives the disk a loop device of its own, that goes when it is not used any more.
func (b *blockCourt) attach() error {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer control.Close()
	backing, err := os.OpenFile(b.file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer backing.Close()
	for range 100 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return fmt.Errorf("free loop device: %w", err)
		}
		b.device = fmt.Sprintf("/dev/loop%d", n)
		if b.loop, err = os.OpenFile(b.device, os.O_RDWR, 0); err != nil {
			return err
		}
		config := unix.LoopConfig{Fd: uint32(backing.Fd())}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, b.loop.Fd(), unix.LOOP_CONFIGURE,
			uintptr(unsafe.Pointer(&config))) //nolint:gosec // the kernel's own structure
		if errno == 0 {
			return nil
		}
		b.loop.Close()
		if !errors.Is(errno, unix.EBUSY) {
			return fmt.Errorf("set up %s: %w", b.device, errno)
		}
	}
	return errors.New("no free loop device")
}

// judge mounts the disk and judges the journal on it.
func (b *blockCourt) judge(
	m *image, s *state, look func(store.Options) (string, error),
) (v verdict, err error) {
	if err := overwrite(b.file, m.files[m.names[diskName]]); err != nil {
		return v, err
	}
	if err := b.attach(); err != nil {
		return v, err
	}
	defer b.loop.Close()
	err = syscall.Mount(b.device, b.mount, "ext4", syscall.MS_NOATIME, b.options)
	if err != nil {
		return v, found("no mount", "%v", err)
	}
	defer func() {
		if uerr := syscall.Unmount(b.mount, 0); uerr != nil && err == nil {
			err = uerr
		}
	}()
	return judgeJournal(b.mount, s.truth, lenience{look: look}, false)
}

func (b *blockCourt) close() {
	syscall.Unmount(b.mount, syscall.MNT_DETACH) //nolint:errcheck // there may be none
}
