package store

import (
	"context"
	"encoding/binary"
	"time"
)

// markTree marks all pages of a tree without reading its leaves: how deep they lie, the way to the
// first of them tells, because it is the same for all.
func (f *pageFile) markTree(root uint64, bad func(page uint64, err error)) {
	depth, id := 0, root
	for ; depth <= treeDepthMax; depth++ {
		page, err := f.page(id, treeOverflowMax)
		if err != nil {
			bad(id, err)
			return
		}
		if binary.NativeEndian.Uint16(page[8:]) != pageBranch {
			break
		}
		ids, err := branches(page)
		if err != nil {
			bad(id, err)
			return
		}
		id = ids[0]
	}
	f.markBelow(root, depth, bad)
}

// markBelow marks a page and those below it; height 0 is a leaf, which is not read.
func (f *pageFile) markBelow(id uint64, height int, bad func(page uint64, err error)) {
	if id < 2 || id >= f.end {
		bad(id, errPageRange)
		return
	}
	if f.marked(id) {
		bad(id, errPageTwice)
		return
	}
	f.mark(id)
	if height == 0 {
		return
	}
	page, err := f.page(id, treeOverflowMax)
	if err == nil && binary.NativeEndian.Uint16(page[8:]) != pageBranch {
		err = errPageKind
	}
	var ids []uint64
	if err == nil {
		ids, err = branches(page)
	}
	if err != nil {
		bad(id, err)
		return
	}
	for _, child := range ids {
		f.markBelow(child, height-1, bad)
	}
}

// walkFrom calls visit with the leaves below a page that can have keys from seq on, in order, until
// it says false, which is then the answer.
func (f *pageFile) walkFrom(
	id uint64, depth int, seq uint64, visit func(items []leafItem) bool, bad func(uint64, error),
) bool {
	if depth > treeDepthMax {
		bad(id, errPageDepth)
		return true
	}
	page, err := f.page(id, treeOverflowMax)
	if err != nil {
		bad(id, err)
		return true
	}
	switch binary.NativeEndian.Uint16(page[8:]) {
	case pageLeaf:
		items, err := f.leaf(id, page)
		if err != nil {
			bad(id, err)
		}
		return visit(items)
	case pageBranch:
	default:
		bad(id, errPageKind)
		return true
	}
	ids, err := branches(page)
	if err != nil {
		bad(id, err)
		return true
	}
	for i, child := range ids {
		if i+1 < len(ids) && branchKey(page, i+1) <= seq {
			continue // the next one begins at or before seq
		}
		if !f.walkFrom(child, depth+1, seq, visit, bad) {
			return false
		}
	}
	return true
}

// branchKey is the first seq below an element of a branch. Where it is none, it is one that nothing
// is skipped for.
func branchKey(page []byte, element int) uint64 {
	key, ok := branchKeyAt(page, element)
	if !ok {
		return ^uint64(0) // not to be skipped over
	}
	return key
}

// branchKeyAt reads the key of an element of a branch; false: it is not that of an entry.
func branchKeyAt(page []byte, element int) (uint64, bool) {
	head := pageHeaderBytes + element*pageElementBytes
	pos := int64(head) + int64(binary.NativeEndian.Uint32(page[head:]))
	if binary.NativeEndian.Uint32(page[head+4:]) != 8 || pos+8 > int64(len(page)) {
		return 0, false
	}
	return binary.BigEndian.Uint64(page[pos:]), true
}

// readLogFrom calls each with the entries from seq on, until it says false, and tells whether
// it did.
func (s *survey) readLogFrom(seq uint64, each func(seq uint64, raw []byte) bool) (stopped bool) {
	before := seq
	visit := func(items []leafItem) bool {
		for _, it := range items {
			if len(it.key) != 8 {
				s.faults = append(s.faults, Fault{Problem: "a log key is not 8 bytes long"})
				continue
			}
			at := binary.BigEndian.Uint64(it.key)
			switch {
			case at < seq:
			case at < before || at == 0:
				s.faults = append(s.faults, Fault{Seq: at, Problem: "stands in the wrong place"})
			default:
				before = at + 1
				if !each(at, it.value) {
					return false
				}
			}
		}
		return true
	}
	for _, part := range s.log {
		var ended bool
		if root := binary.NativeEndian.Uint64(part.value); root != 0 {
			ended = s.file.walkFrom(root, 0, seq, visit, s.bad("log"))
		} else {
			items, err := leafItems(part.value[bucketValueBytes:])
			if err != nil {
				s.faults = append(s.faults, Fault{Problem: "bucket of the log: " + err.Error()})
			}
			ended = visit(items)
		}
		if !ended {
			return true
		}
	}
	return false
}

// readLiveRing reads the ring while it may be written to. A slot that was read in the middle of a
// write looks damaged; one that stays so is.
func (v *verifier) readLiveRing(ctx context.Context) {
	const (
		attempts = 4
		pause    = 20 * time.Millisecond
	)
	before := len(v.out.Faults)
	for n := 1; ; n++ {
		v.readRing()
		if len(v.out.Faults) == before || n == attempts || ctx.Err() != nil {
			return
		}
		v.out.Faults = v.out.Faults[:before]
		time.Sleep(pause) //nolint:forbidigo // waits, and puts no time into anything
	}
}
