package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A slot of the ring; FORMAT.md draws it. 4 KiB is one page of the page cache and one block of
// the file system, so that a write never reads first and a KILL never leaves half of one.
const (
	slotBytes       = 4096
	slotHeaderBytes = 48
	slotDataBytes   = slotBytes - slotHeaderBytes
	slotLengthBytes = 2
	slotVersion     = 1
	slotMagic       = "rvrs"
)

// slot is one block of the ring: a header and whole encoded entries.
type slot struct {
	id      [16]byte // the journal it belongs to
	counter uint64   // 1, 2, 3 …; its position in the file is counter modulo the slots
	acked   uint64   // newest entry that was known to be in both files when this was written
	count   int      // entries in it
	data    []byte   // the entries, each behind its length
}

// room says whether an encoded entry of n bytes still fits.
func (s *slot) room(n int) bool { return len(s.data)+slotLengthBytes+n <= slotDataBytes }

// add appends an encoded entry; room must have said yes.
func (s *slot) add(raw []byte) {
	s.data = binary.BigEndian.AppendUint16(s.data, uint16(len(raw)))
	s.data = append(s.data, raw...)
	s.count++
}

// encode fills b, which has slotBytes bytes.
func (s *slot) encode(b []byte) {
	clear(b)
	copy(b, slotMagic)
	b[4] = slotVersion
	binary.BigEndian.PutUint16(b[6:], uint16(s.count))
	binary.BigEndian.PutUint64(b[8:], s.counter)
	copy(b[16:], s.id[:])
	binary.BigEndian.PutUint64(b[32:], s.acked)
	binary.BigEndian.PutUint16(b[40:], uint16(len(s.data)))
	copy(b[slotHeaderBytes:], s.data)
	binary.BigEndian.PutUint32(b[44:], slotCRC(b))
}

// slotCRC covers the whole block except the four bytes it is kept in.
func slotCRC(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:44], castagnoli), castagnoli, b[slotHeaderBytes:])
}

// Faults of a slot. errSlotBlank is none: it was never written.
var (
	errSlotBlank   = errors.New("slot was never written")
	errSlotDamaged = errors.New("slot is damaged")
)

// decodeSlot reads one block. data of the result points into b. That the entries are whole is
// checked here, what is in them is not.
func decodeSlot(b []byte) (slot, error) {
	var s slot
	if len(b) != slotBytes {
		return s, fmt.Errorf("%w: %d bytes", errSlotDamaged, len(b))
	}
	if string(b[:4]) != slotMagic {
		if b[0] != 0 || !bytes.Equal(b[1:], b[:slotBytes-1]) { // every byte as the one before it
			return s, fmt.Errorf("%w: no magic", errSlotDamaged)
		}
		return s, errSlotBlank
	}
	if slotCRC(b) != binary.BigEndian.Uint32(b[44:]) {
		return s, fmt.Errorf("%w: checksum", errSlotDamaged)
	}
	used := int(binary.BigEndian.Uint16(b[40:]))
	if b[4] != slotVersion || b[5] != 0 || b[42] != 0 || b[43] != 0 || used > slotDataBytes {
		return s, fmt.Errorf("%w: header", errSlotDamaged)
	}
	s.count = int(binary.BigEndian.Uint16(b[6:]))
	s.counter = binary.BigEndian.Uint64(b[8:])
	copy(s.id[:], b[16:])
	s.acked = binary.BigEndian.Uint64(b[32:])
	s.data = b[slotHeaderBytes : slotHeaderBytes+used]
	n := 0
	for rest := s.data; len(rest) > 0; n++ {
		if rest = afterEntry(rest); rest == nil {
			return slot{}, fmt.Errorf("%w: entry length", errSlotDamaged)
		}
	}
	if n != s.count || s.counter == 0 {
		return slot{}, fmt.Errorf("%w: entry count", errSlotDamaged)
	}
	return s, nil
}

// afterEntry is what follows the first entry of data, or nil when that entry is not whole.
func afterEntry(data []byte) []byte {
	if len(data) < slotLengthBytes {
		return nil
	}
	end := slotLengthBytes + int(binary.BigEndian.Uint16(data))
	if end > len(data) {
		return nil
	}
	return data[end:]
}

// each calls fn with every encoded entry, in the order they were written.
func (s *slot) each(fn func(raw []byte)) {
	for rest := s.data; len(rest) > 0; {
		after := afterEntry(rest)
		fn(rest[slotLengthBytes : len(rest)-len(after)])
		rest = after
	}
}
