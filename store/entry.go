package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// Mark says what an entry does to the index of open keys.
type Mark uint8

// The marks. Zero is none of them, so that a forgotten mark is refused.
const (
	MarkKeep  Mark = iota + 1 // the key stays as it is, open or not
	MarkOpen                  // the key becomes, or stays, open
	MarkClose                 // the key is closed
)

// Limits of one draft, in bytes. Together with the frame around them they fit a slot of the ring,
// because an entry that the ring cannot hold would have one copy only.
const (
	PayloadBytesMax = 3584
	SecretBytesMax  = 256
)

// The frame around payload and secret; FORMAT.md draws it.
const (
	entryVersion     = 1
	entryHeaderBytes = 64
	chainBytes       = 16
	crcBytes         = 4
	entryBytesMin    = entryHeaderBytes + chainBytes + crcBytes
	entryBytesMax    = slotDataBytes - slotLengthBytes
)

// Does not compile when the largest draft does not fit a slot.
const _ = uint(entryBytesMax - entryBytesMin - PayloadBytesMax - SecretBytesMax - sealOverhead)

// castagnoli is computed by the processor where it can.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Draft is what a caller wants written.
type Draft struct {
	Key     uint64        // payment number, at most the Seq of its first entry; 0 belongs to none
	Kind    uint8         // 1 to 255; the meaning belongs to the caller
	Mark    Mark          // MarkKeep when Key is 0
	Again   bool          // the key is on file, open or closed: it may use the room kept for those
	Wall    time.Time     // data only; zero, or outside 1677 to 2262, is kept as not known
	Mono    time.Duration // time since boot, data only
	Payload []byte        // clear bytes, at most PayloadBytesMax
	Secret  []byte        // sealed before it is written, at most SecretBytesMax; nil when none
}

// Entry is what was written.
type Entry struct {
	Seq     uint64        // 1, 2, 3 … without gaps
	Key     uint64        // as in the draft
	Prev    uint64        // the entry before it of the same key while that is open; 0 if first
	Kind    uint8         // as in the draft
	Mark    Mark          // as in the draft
	Wall    time.Time     // as in the draft, in UTC
	Mono    time.Duration // as in the draft
	Boot    [16]byte      // which life of the machine wrote it
	Payload []byte        // as in the draft
	Sealed  []byte        // the draft's Secret, sealed; nil when there was none: Journal.Unseal
	Chain   [16]byte      // ties this entry to all before it
}

// appendEntry appends everything of an entry up to its chain: what chain and CRC are taken over.
func appendEntry(dst []byte, e *Entry) []byte {
	dst = append(dst, entryVersion, e.Kind, byte(e.Mark), 0)
	dst = binary.BigEndian.AppendUint64(dst, e.Seq)
	dst = binary.BigEndian.AppendUint64(dst, e.Key)
	dst = binary.BigEndian.AppendUint64(dst, e.Prev)
	dst = binary.BigEndian.AppendUint64(dst, uint64(wallNanos(e.Wall)))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Mono))
	dst = append(dst, e.Boot[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(e.Payload)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(e.Sealed)))
	dst = append(dst, e.Payload...)
	return append(dst, e.Sealed...)
}

// finishEntry appends chain and CRC to what appendEntry made of raw[start:].
func finishEntry(raw []byte, start int, chain [16]byte) []byte {
	raw = append(raw, chain[:]...)
	return binary.BigEndian.AppendUint32(raw, crc32.Checksum(raw[start:], castagnoli))
}

// Faults of one encoded entry; readers wrap them into ErrCorrupt with the seq.
var (
	errEntryShort   = errors.New("shorter than its header says")
	errEntryLong    = errors.New("longer than its header says")
	errEntryCRC     = errors.New("checksum does not match")
	errEntryVersion = errors.New("unknown entry version")
	errEntryField   = errors.New("a header field is out of range")
)

// decodeEntry reads one encoded entry. Payload and Sealed of the result point into raw.
func decodeEntry(raw []byte) (Entry, error) {
	var e Entry
	if len(raw) < entryBytesMin {
		return e, errEntryShort
	}
	payload := int(binary.BigEndian.Uint16(raw[60:]))
	sealed := int(binary.BigEndian.Uint16(raw[62:]))
	switch want := entryBytesMin + payload + sealed; {
	case len(raw) < want:
		return e, errEntryShort
	case len(raw) > want:
		return e, errEntryLong
	}
	body := raw[:len(raw)-crcBytes]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(raw[len(body):]) {
		return e, errEntryCRC
	}
	if raw[0] != entryVersion {
		return e, errEntryVersion
	}
	e.Kind, e.Mark = raw[1], Mark(raw[2])
	e.Seq = binary.BigEndian.Uint64(raw[4:])
	e.Key = binary.BigEndian.Uint64(raw[12:])
	e.Prev = binary.BigEndian.Uint64(raw[20:])
	if ns := int64(binary.BigEndian.Uint64(raw[28:])); ns != 0 {
		e.Wall = time.Unix(0, ns).UTC()
	}
	e.Mono = time.Duration(binary.BigEndian.Uint64(raw[36:]))
	copy(e.Boot[:], raw[44:])
	rest := raw[entryHeaderBytes:]
	if payload > 0 {
		e.Payload = rest[:payload:payload]
	}
	if sealed > 0 {
		e.Sealed = rest[payload : payload+sealed : payload+sealed]
	}
	copy(e.Chain[:], rest[payload+sealed:])
	if raw[3] != 0 || e.Seq == 0 || e.Key > e.Seq || e.Prev >= e.Seq || !kindAndMarkFit(&e) {
		return e, errEntryField
	}
	return e, nil
}

// chainedBytes is the part of an encoded entry that its chain is taken over.
func chainedBytes(raw []byte) []byte { return raw[:len(raw)-chainBytes-crcBytes] }

// kindAndMarkFit holds for what check lets through, and for nothing else.
func kindAndMarkFit(e *Entry) bool {
	if e.Kind == 0 || e.Mark < MarkKeep || e.Mark > MarkClose {
		return false
	}
	return e.Key != 0 || (e.Mark == MarkKeep && e.Prev == 0)
}

// checkDraft refuses what could not be read back, before anything is changed by it.
func checkDraft(d *Draft, seq uint64) error {
	switch {
	case len(d.Payload) > PayloadBytesMax:
		return fmt.Errorf("%w: payload of %d bytes, limit %d", ErrRefused,
			len(d.Payload), PayloadBytesMax)
	case len(d.Secret) > SecretBytesMax:
		return fmt.Errorf("%w: secret of %d bytes, limit %d", ErrRefused,
			len(d.Secret), SecretBytesMax)
	case d.Kind == 0:
		return fmt.Errorf("%w: kind 0", ErrRefused)
	case d.Mark < MarkKeep || d.Mark > MarkClose:
		return fmt.Errorf("%w: mark %d", ErrRefused, d.Mark)
	case d.Key > seq:
		return fmt.Errorf("%w: key %d is ahead of its entry %d", ErrRefused, d.Key, seq)
	case d.Key == 0 && d.Mark != MarkKeep:
		return fmt.Errorf("%w: key 0 cannot be opened or closed", ErrRefused)
	}
	return nil
}

// The times that nanoseconds since 1970 in 64 bits can say.
var (
	wallMin = time.Unix(0, math.MinInt64)
	wallMax = time.Unix(0, math.MaxInt64)
)

// wallNanos is 0 for a time that nanoseconds since 1970 cannot say: a clock that is wildly wrong
// must never stop an entry from being written.
func wallNanos(t time.Time) int64 {
	if t.Before(wallMin) || t.After(wallMax) {
		return 0
	}
	return t.UnixNano()
}

// clone lets go of the buffer the entry was decoded from.
func (e *Entry) clone() {
	n := len(e.Payload) + len(e.Sealed)
	if n == 0 {
		return
	}
	buf := append(append(make([]byte, 0, n), e.Payload...), e.Sealed...)
	p := len(e.Payload)
	if p > 0 {
		e.Payload = buf[:p:p]
	}
	if e.Sealed != nil {
		e.Sealed = buf[p:n:n]
	}
}
