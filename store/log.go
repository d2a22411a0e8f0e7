package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// The log lies in two places. Most of it is in one bucket, a tree of many pages: whoever appends
// there writes a leaf, and every branch on the way to it. So the newest entries are kept in the
// tail: a few buckets so small that bbolt puts them into its root page, which every commit writes
// in any case. When the root page is full, all of the tail goes into the tree at once. It halves
// what a commit writes.
//
// Whatever stands in a bucket of the tail is newer than the whole tree, and than the buckets of the
// tail before it.
var bucketsTail = [...][]byte{
	[]byte("tail0"), []byte("tail1"), []byte("tail2"), []byte("tail3"),
}

// inlineBytesMax is how large a bucket may be that bbolt keeps inside of the page above: a quarter
// of a page, its own page header counted.
const inlineBytesMax = pageBytes / 4

// entryLog is the log as one transaction sees it. Journals of before format 3 have no tail.
type entryLog struct {
	parts []*bolt.Bucket // oldest first
}

func logOf(tx *bolt.Tx) entryLog {
	l := entryLog{parts: make([]*bolt.Bucket, 1, 1+len(bucketsTail))}
	l.parts[0] = tx.Bucket(bucketLog)
	for _, name := range bucketsTail {
		if b := tx.Bucket(name); b != nil {
			l.parts = append(l.parts, b)
		}
	}
	return l
}

func (l entryLog) tree() *bolt.Bucket   { return l.parts[0] }
func (l entryLog) tail() []*bolt.Bucket { return l.parts[1:] }

// get returns the value at seq, or nil.
func (l entryLog) get(seq uint64) []byte {
	k := logKey(seq)
	for _, part := range l.parts {
		if v := part.Get(k); v != nil {
			return v
		}
	}
	return nil
}

// last returns the newest entry, or nil.
func (l entryLog) last() (k, v []byte) {
	for i := len(l.parts) - 1; i >= 0 && k == nil; i-- {
		k, v = l.parts[i].Cursor().Last()
	}
	return k, v
}

// replace gives an entry that stands in the log another value.
func (l entryLog) replace(seq uint64, raw []byte) error {
	k := logKey(seq)
	for _, part := range l.parts {
		if part.Get(k) != nil {
			return part.Put(k, raw)
		}
	}
	return fmt.Errorf("entry %d: %w: missing", seq, ErrCorrupt)
}

func (l entryLog) delete(seq uint64) error {
	k := logKey(seq)
	for _, part := range l.parts {
		if part.Get(k) != nil {
			return part.Delete(k)
		}
	}
	return nil
}

// logCursor goes through the log in the order of seqs.
type logCursor struct {
	c    *bolt.Cursor
	rest []*bolt.Bucket
}

func (l entryLog) cursor() *logCursor { return &logCursor{rest: l.parts} }

// seek returns the first entry from seq on, or nil. It is called once.
func (c *logCursor) seek(seq uint64) (k, v []byte) {
	for k == nil && len(c.rest) > 0 {
		c.c, c.rest = c.rest[0].Cursor(), c.rest[1:]
		k, v = c.c.Seek(logKey(seq))
	}
	return k, v
}

// next returns the entry after the last one that was returned, or nil.
func (c *logCursor) next() (k, v []byte) {
	k, v = c.c.Next()
	for k == nil && len(c.rest) > 0 {
		c.c, c.rest = c.rest[0].Cursor(), c.rest[1:]
		k, v = c.c.First()
	}
	return k, v
}

// putTree adds entries to the tree. bbolt keeps a reference to raw until the transaction ends.
func putTree(log *bolt.Bucket, rs []record) error {
	log.FillPercent = 1 // only ever appended to: a page is left full, not half full
	for _, r := range rs {
		if err := log.Put(logKey(r.seq), r.raw); err != nil {
			return err
		}
	}
	return nil
}

// putLog adds entries to the tail or, where it has no room for them, the tail and them to the tree.
// open is how many keys are.
func putLog(tx *bolt.Tx, rs []record, open int) error {
	l := logOf(tx)
	places, fit := l.placesFor(rs, tailRoom(tx, open))
	if fit {
		for i, r := range rs {
			if err := l.tail()[places[i]].Put(logKey(r.seq), r.raw); err != nil {
				return err
			}
		}
		return nil
	}
	old, err := l.takeTail()
	if err != nil {
		return err
	}
	return putTree(l.tree(), append(old, rs...))
}

// placesFor says which bucket of the tail each of rs goes to, so that none grows too large for the
// root page, and all together not larger than room. false: there is no place for all of them.
func (l entryLog) placesFor(rs []record, room int) (places []int, fit bool) {
	at, used := 0, 0
	for i, part := range l.tail() {
		size := 0
		c := part.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			size += pageElementBytes + len(k) + len(v)
		}
		if size > 0 {
			at, used = i, size
		}
		room -= size
	}
	places = make([]int, len(rs))
	for i, r := range rs {
		size := pageElementBytes + 8 + len(r.raw)
		if used+size > inlineBytesMax-pageHeaderBytes {
			at, used = at+1, 0
		}
		used += size
		room -= size
		if at >= len(l.tail()) || used > inlineBytesMax-pageHeaderBytes || room < 0 {
			return nil, false
		}
		places[i] = at
	}
	return places, true
}

// takeTail empties the tail.
func (l entryLog) takeTail() ([]record, error) {
	var old []record
	for _, part := range l.tail() {
		before := len(old)
		c := part.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				return nil, fmt.Errorf("%w: log key of %d bytes", ErrUnreadable, len(k))
			}
			old = append(old, record{seq: binary.BigEndian.Uint64(k), raw: bytes.Clone(v)})
		}
		for _, r := range old[before:] {
			if err := part.Delete(logKey(r.seq)); err != nil {
				return nil, err
			}
		}
	}
	return old, nil
}

// tailRoom is what the root page has left for entries of the tail, with a little to spare. A root
// page that becomes too large is no fault: bbolt then makes two of it.
func tailRoom(tx *bolt.Tx, open int) int {
	const (
		bucketBytes  = pageElementBytes + 8 + bucketValueBytes // 8: the longest name but one
		emptyInline  = bucketBytes + pageHeaderBytes
		metaBytes    = emptyInline + 8*pageElementBytes + 180 // and its longest keys and values
		openBytes    = pageElementBytes + 8 + 9
		bridgeBytes  = pageElementBytes + 8 + chainBytes
		spare        = 96
		bridgesCount = inlineBytesMax / bridgeBytes // more have a page of their own
	)
	room := pageBytes - pageHeaderBytes - spare - metaBytes - len(bucketsTail)*emptyInline
	room -= bucketBytes // the tree's
	room -= min(emptyInline+open*openBytes, bucketBytes+inlineBytesMax)
	bridges := 0
	c := tx.Bucket(bucketBridge).Cursor()
	for k, _ := c.First(); k != nil && bridges < bridgesCount; k, _ = c.Next() {
		bridges++
	}
	return room - emptyInline - bridges*bridgeBytes
}
