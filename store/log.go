package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

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
	tree  *bolt.Bucket
	pages *logTree // how the tree is read; nil while it is inside of the root page as well
	tail  []*bolt.Bucket
}

// logOf is the log in a transaction on a file. Once it was changed in the transaction only the tail
// can be read.
func logOf(tx *bolt.Tx, file io.ReaderAt) entryLog {
	l := entryLog{tree: tx.Bucket(bucketLog), tail: make([]*bolt.Bucket, 0, len(bucketsTail))}
	l.pages = treeOf(file, tx, l.tree)
	for _, name := range bucketsTail {
		if b := tx.Bucket(name); b != nil {
			l.tail = append(l.tail, b)
		}
	}
	return l
}

// fault is what was wrong with a page that was read.
func (l entryLog) fault() error {
	if l.pages == nil {
		return nil
	}
	return l.pages.err
}

// small are the parts that are inside of the root page, oldest first.
func (l entryLog) small() []*bolt.Bucket {
	if l.pages != nil {
		return l.tail
	}
	return append([]*bolt.Bucket{l.tree}, l.tail...)
}

// get returns the value at seq, or nil.
func (l entryLog) get(seq uint64) []byte {
	if l.pages != nil {
		if v := l.pages.get(seq); v != nil {
			return v
		}
	}
	k := logKey(seq)
	for _, part := range l.small() {
		if v := part.Get(k); v != nil {
			return v
		}
	}
	return nil
}

// last returns the newest entry, or nil. It looks at the end of the tree in any case: that is where
// the tail goes to.
func (l entryLog) last() (k, v []byte) {
	if l.pages != nil {
		k, v = l.pages.last()
	}
	for _, part := range l.small() {
		if newer, value := part.Cursor().Last(); newer != nil {
			k, v = newer, value
		}
	}
	return k, v
}

// part is where the entry at seq stands, nil if nowhere.
func (l entryLog) part(seq uint64) *bolt.Bucket {
	if l.pages != nil && l.pages.get(seq) != nil {
		return l.tree
	}
	k := logKey(seq)
	for _, part := range l.small() {
		if part.Get(k) != nil {
			return part
		}
	}
	return nil
}

// replace gives an entry that stands in the log another value.
func (l entryLog) replace(seq uint64, raw []byte) error {
	part := l.part(seq)
	if part == nil {
		return errors.Join(l.fault(), fmt.Errorf("entry %d: %w: missing", seq, ErrCorrupt))
	}
	return part.Put(logKey(seq), raw)
}

// delete takes entries out that stand in the log. Where they are to come from the tree, lookBeside
// was called for them.
func (l entryLog) delete(seqs []uint64) error {
	parts := make([]*bolt.Bucket, len(seqs))
	for i, seq := range seqs {
		parts[i] = l.part(seq)
	}
	if err := l.fault(); err != nil {
		return err
	}
	var err error
	for i, part := range parts {
		if part != nil {
			err = errors.Join(err, part.Delete(logKey(seqs[i])))
		}
	}
	return err
}

// lookBeside looks at every page that bbolt comes to when it takes entries out.
func (l entryLog) lookBeside(seqs []uint64) error {
	if l.pages == nil {
		return nil
	}
	for _, seq := range seqs {
		l.pages.way(seq, true)
	}
	return l.pages.err
}

// logCursor goes through the log in the order of seqs.
type logCursor struct {
	tree *treeCursor
	c    *bolt.Cursor
	rest []*bolt.Bucket
}

func (l entryLog) cursor() *logCursor {
	c := &logCursor{rest: l.small()}
	if l.pages != nil {
		c.tree = &treeCursor{t: l.pages}
	}
	return c
}

// seek returns the first entry from seq on, or nil. It is called once.
func (c *logCursor) seek(seq uint64) (k, v []byte) {
	if c.tree != nil {
		if k, v = c.tree.seek(seq); c.tree.t.err != nil {
			return nil, nil
		}
	}
	for k == nil && len(c.rest) > 0 {
		c.tree, c.c, c.rest = nil, c.rest[0].Cursor(), c.rest[1:]
		k, v = c.c.Seek(logKey(seq))
	}
	return k, v
}

// next returns the entry after the last one that was returned, or nil.
func (c *logCursor) next() (k, v []byte) {
	if c.tree != nil {
		if k, v = c.tree.next(); c.tree.t.err != nil {
			return nil, nil
		}
	} else {
		k, v = c.c.Next()
	}
	for k == nil && len(c.rest) > 0 {
		c.tree, c.c, c.rest = nil, c.rest[0].Cursor(), c.rest[1:]
		k, v = c.c.First()
	}
	return k, v
}

// putTree adds entries to the tree. bbolt keeps a reference to raw until the transaction ends.
func putTree(log *bolt.Bucket, rs []record) error {
	log.FillPercent = 1 // only ever appended to: a page is left full, not half full
	var err error
	for _, r := range rs {
		err = errors.Join(err, log.Put(logKey(r.seq), r.raw))
	}
	return err
}

// putLog adds entries to the tail or, where it has no room for them, the tail and them to the tree.
// open is how many keys are.
func putLog(tx *bolt.Tx, rs []record, open int) error {
	l := logOf(tx, nil) // not to read from
	places, fit := l.placesFor(rs, tailRoom(tx, open))
	if fit {
		var err error
		for i, r := range rs {
			err = errors.Join(err, l.tail[places[i]].Put(logKey(r.seq), r.raw))
		}
		return err
	}
	old, err := l.takeTail()
	if err != nil {
		return err
	}
	return putTree(l.tree, append(old, rs...))
}

// placesFor says which bucket of the tail each of rs goes to, so that none grows too large for the
// root page, and all together not larger than room. false: there is no place for all of them.
func (l entryLog) placesFor(rs []record, room int) (places []int, fit bool) {
	at, used := 0, 0
	for i, part := range l.tail {
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
		if at >= len(l.tail) || used > inlineBytesMax-pageHeaderBytes || room < 0 {
			return nil, false
		}
		places[i] = at
	}
	return places, true
}

// takeTail empties the tail.
func (l entryLog) takeTail() (old []record, err error) {
	for _, part := range l.tail {
		before := len(old)
		c := part.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				return nil, fmt.Errorf("%w: log key of %d bytes", ErrUnreadable, len(k))
			}
			old = append(old, record{seq: binary.BigEndian.Uint64(k), raw: bytes.Clone(v)})
		}
		for _, r := range old[before:] {
			err = errors.Join(err, part.Delete(logKey(r.seq)))
		}
	}
	return old, err
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
