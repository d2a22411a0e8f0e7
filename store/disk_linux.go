package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// dataFile syncs with fdatasync: the times of the file are of no use to us, and writing them
// costs a journal commit of the file system.
type dataFile struct{ *os.File }

// Sync returns when the data, and the size if it changed, are on the medium.
func (f dataFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// forgetCached has the page cache let go of a file that is on the medium. What bbolt wrote at once
// when it made the file, both meta pages too, would stay one piece there: every commit would then
// look through four pages to write one.
func forgetCached(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // slower without, that is all
}

// readHereAndThere keeps the kernel from reading ahead: a start looks at few pages of a large file,
// and on a device that reads megabytes ahead it would wait for most of it.
func readHereAndThere(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM) // slower without, that is all
}

// syncDir makes names that were created, renamed or removed in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// tryLock takes the lock bbolt uses, without waiting.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// unlockFile gives back the lock, if there is one.
func unlockFile(f *os.File) {
	syscall.Flock(int(f.Fd()), syscall.LOCK_UN) //nolint:errcheck // closed next
}

// noSpace holds for a write that found the disk, the quota or the file full.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EFBIG)
}

// permission turns the three ways of being kept out into ErrPermission.
func permission(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrPermission, err)
	}
	return err
}

// filesystems we know by their number in statfs. Unfit are those that forget at a power cut
// (memory), have no ordering or no sync worth the name (FAT, 9p, network), cannot map a file for
// writing (JFFS2) or cannot write at all.
var filesystems = map[uint32]struct {
	name  string
	unfit bool
}{
	0x0000ef53: {name: "ext4"},
	0xf2f52010: {name: "f2fs"},
	0x24051905: {name: "ubifs"},
	0x58465342: {name: "xfs"},
	0x9123683e: {name: "btrfs"},
	0x794c7630: {name: "overlay"},
	0x65735546: {name: "fuse"},
	0x01021994: {name: "tmpfs", unfit: true},
	0x858458f6: {name: "ramfs", unfit: true},
	0x000072b6: {name: "jffs2", unfit: true},
	0x73717368: {name: "squashfs", unfit: true},
	0x28cd3d45: {name: "cramfs", unfit: true},
	0x00009660: {name: "iso9660", unfit: true},
	0x00004d44: {name: "vfat", unfit: true},
	0x2011bab0: {name: "exfat", unfit: true},
	0x5346544e: {name: "ntfs", unfit: true},
	0x01021997: {name: "9p", unfit: true},
	0x00006969: {name: "nfs", unfit: true},
	0xff534d42: {name: "cifs", unfit: true},
	0xfe534d42: {name: "smb", unfit: true},
}

// filesystemOf names the file system a path lies on, by its directory, and says whether a journal
// may be kept there. One we do not know is given the benefit of the doubt.
func filesystemOf(path string) (name string, unfit bool, err error) {
	var st syscall.Statfs_t
	dir := filepath.Dir(path)
	if err := syscall.Statfs(dir, &st); err != nil {
		return "", false, fmt.Errorf("file system of %s: %w", dir, permission(err))
	}
	name, unfit = judgeFilesystem(uint32(st.Type))
	return name, unfit, nil
}

func judgeFilesystem(magic uint32) (name string, unfit bool) {
	if known, ok := filesystems[magic]; ok {
		return known.name, known.unfit
	}
	return fmt.Sprintf("%#x", magic), false
}
