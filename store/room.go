package store

import (
	"errors"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

const (
	// sizeMaxDefault is as large as the journal gets: bbolt maps all of it, and a terminal with
	// 32-bit addresses has none to waste.
	sizeMaxDefault = 64 << 20
	// sizeMaxLeast leaves room for something beside the reserve.
	sizeMaxLeast = 2 << 20
	// growBytes is added at a time, in zeros, outside of any transaction: where bbolt extends the
	// file itself, the file system commits its own journal in the middle of a payment.
	growBytes = 256 << 10
	// reserveBytes are kept for keys that are on file: on a full disk no new one is begun, and
	// every open one can still be finished.
	reserveBytes = 512 << 10
	// commitBytesMax is what one transaction can take: every page of a full batch, twice over for
	// the pages that bbolt copies, and its freelist.
	commitBytesMax = 2*(BatchBytesMax+notedSlotsMax*slotBytes) + 64<<10
)

// RoomToReopen is ErrFull when so much of what is kept for keys on file is used up that no more
// closed ones should be opened again: the rest is for those that are open. It belongs to the
// goroutine that writes.
func (j *Journal) RoomToReopen() error {
	if err := j.alive(); err != nil {
		return err
	}
	err := j.room(reserveBytes / 2)
	if err != nil && !errors.Is(err, ErrFull) {
		return j.die(err)
	}
	return err
}

// room makes sure that the next transaction finds written blocks to go to, and leaves spare bytes
// for those after it.
func (j *Journal) room(spare int64) error {
	var used int64
	if err := j.ledger.view(func(tx *bolt.Tx) error {
		used = tx.Size()
		return nil
	}); err != nil {
		return err
	}
	need := used + commitBytesMax + spare
	var full error
	for j.size < used+commitBytesMax+reserveBytes && full == nil {
		full = j.grow()
		if full != nil && !errors.Is(full, ErrFull) {
			return full
		}
	}
	// Pages that bbolt has freed are as good as new ones, and are written blocks already.
	free := int64(j.ledger.db.Stats().FreePageN) * pageBytes
	if j.size+free < need {
		return full
	}
	return nil
}

// grow adds one step of zeros. Running out of space changes nothing and is ErrFull; a failed sync
// is as bad as any other.
func (j *Journal) grow() error {
	want := j.size + growBytes
	if want > j.opt.SizeMax {
		return fmt.Errorf("%w: limit %d bytes", ErrFull, j.opt.SizeMax)
	}
	size, err := extend(j.ledger.file, want)
	if noSpace(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err == nil {
		err = j.ledger.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("grow journal: %w", err)
	}
	j.size = size
	return nil
}

// extend writes zeros from the end of a file up to size, a page at a time: the page cache keeps
// what was written with one call as one piece, and looks through all of it at every sync.
func extend(f *os.File, size int64) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	zeros := make([]byte, pageBytes)
	for end < size {
		n, err := f.WriteAt(zeros[:min(pageBytes, size-end)], end)
		end += int64(n)
		if err != nil {
			return end, err
		}
	}
	return end, nil
}
