//go:build !linux

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A journal is kept on Linux. What is here lets a technician's laptop verify a copy of one, and
// makes one only where any_filesystem allows a file system that we know nothing of.

// dataFile syncs with what the system has.
type dataFile struct{ *os.File }

func forgetCached(*os.File) {}

func readHereAndThere(*os.File) {}

// syncDir does nothing: a laptop keeps no journal that a power cut could hurt.
func syncDir(string) error { return nil }

// tryLock has nothing to lock with: bbolt brings a lock of its own.
func tryLock(*os.File) error { return nil }

func unlockFile(*os.File) {}

func noSpace(error) bool { return false }

func permission(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", ErrPermission, err)
	}
	return err
}

// filesystemOf calls every file system unfit to keep a journal.
func filesystemOf(string) (name string, unfit bool, err error) {
	return "a file system of this computer", true, nil
}
