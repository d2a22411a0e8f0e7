package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

// ringImage is what could be read of a ring file.
type ringImage struct {
	slots   []slot // good ones, oldest first; their data belongs to the image
	size    int    // in slots
	damaged int    // slots that are neither good nor blank
	wrecks  []int  // where they are
	acked   uint64 // the high-water mark: newest entry known to have been in both files
	entries map[uint64][]ringCopy
}

// ringCopy is one copy of an entry that a slot holds.
type ringCopy struct {
	counter uint64
	raw     []byte
	entry   Entry
}

// readRingImage reads every slot. Damaged ones are counted and left out; so are entries in good
// slots that do not decode, which only a fault of the writer could make.
func readRingImage(f io.ReaderAt, size int) (*ringImage, error) {
	img := &ringImage{size: size, entries: make(map[uint64][]ringCopy)}
	all := make([]byte, size*slotBytes)
	if _, err := f.ReadAt(all, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read ring: %w", err)
	}
	for pos := range size {
		s, err := decodeSlot(all[pos*slotBytes : (pos+1)*slotBytes])
		switch {
		case errors.Is(err, errSlotBlank):
		case err != nil || s.counter%uint64(size) != uint64(pos):
			img.damaged++
			img.wrecks = append(img.wrecks, pos)
		default:
			img.slots = append(img.slots, s)
		}
	}
	sort.Slice(img.slots, func(i, j int) bool {
		return img.slots[i].counter < img.slots[j].counter
	})
	for i := len(img.slots) - 1; i >= 0; i-- {
		s := &img.slots[i]
		img.acked = max(img.acked, s.acked)
		s.each(func(raw []byte) {
			e, err := decodeEntry(raw)
			if err == nil {
				c := ringCopy{counter: s.counter, raw: raw, entry: e}
				img.entries[e.Seq] = append(img.entries[e.Seq], c)
			}
		})
	}
	return img, nil
}

// encode is a ring file with the good slots of the image.
func (img *ringImage) encode() []byte {
	all := make([]byte, img.size*slotBytes)
	for i := range img.slots {
		s := &img.slots[i]
		pos := int(s.counter % uint64(img.size))
		s.encode(all[pos*slotBytes : (pos+1)*slotBytes])
	}
	return all
}

// foreign counts slots of another journal.
func (img *ringImage) foreign(id [16]byte) int {
	n := 0
	for i := range img.slots {
		if img.slots[i].id != id {
			n++
		}
	}
	return n
}

// id is whose ring it is; false when no slot says so.
func (img *ringImage) id() ([16]byte, bool) {
	if len(img.slots) == 0 {
		return [16]byte{}, false
	}
	return img.slots[len(img.slots)-1].id, true
}

// proveKey makes sure that the key of a chain is the one its entries were written with, as far as
// there are two of them that follow each other.
func (img *ringImage) proveKey(c *chainer, keyPath string) error {
	pairs := 0
	for seq, copies := range img.entries {
		for _, rc := range copies {
			if _, follows := img.following(c, seq+1, rc.entry.Chain); follows {
				return nil
			}
			pairs += len(img.entries[seq+1])
		}
	}
	if pairs == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOtherKey, keyPath)
}

// following finds the copy of entry seq that follows an entry with chain prev.
func (img *ringImage) following(c *chainer, seq uint64, prev [16]byte) (ringCopy, bool) {
	for _, rc := range img.entries[seq] {
		if c.next(prev, chainedBytes(rc.raw)) == rc.entry.Chain {
			return rc, true
		}
	}
	return ringCopy{}, false
}

// RingContents is what the ring alone still knows.
type RingContents struct {
	ID      [16]byte // of the journal it belongs to
	Acked   uint64   // high-water mark: every entry up to here was once in both files
	Entries []Entry  // ascending by Seq, each once; sealed
	Slots   int      // slots of the file
	Damaged int      // slots that could not be read
}

// ReadRing reads a ring file without its journal: the newest entries and those of keys that were
// open. Entries are checked one by one, their chain is not: without the entries in between there
// is nothing to check it against. Where several copies of an entry differ, the newest wins.
func ReadRing(path string) (RingContents, error) {
	f, err := os.Open(path)
	if err != nil {
		return RingContents{}, fmt.Errorf("read ring: %w", permission(err))
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return RingContents{}, fmt.Errorf("read ring: %w", err)
	}
	img, err := readRingImage(f, int(min(info.Size(), ringBytesMax)/slotBytes))
	if err != nil {
		return RingContents{}, err
	}
	out := RingContents{Acked: img.acked, Slots: img.size, Damaged: img.damaged}
	if n := len(img.slots); n > 0 {
		out.ID = img.slots[n-1].id
	}
	for _, copies := range img.entries {
		e := copies[0].entry
		e.clone()
		out.Entries = append(out.Entries, e)
	}
	sort.Slice(out.Entries, func(i, j int) bool { return out.Entries[i].Seq < out.Entries[j].Seq })
	return out, nil
}

// ringBytesMax bounds what is read of a file that claims to be a ring.
const ringBytesMax = 4096 * slotBytes
