package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"sort"

	bolt "go.etcd.io/bbolt"
)

// logTree reads the tree of the log as one transaction sees it, page by page and without bbolt.
// bbolt follows a page that leads to itself for ever, and remembers every step: a file that a
// careless disk has left took all of a machine's memory within seconds. To look at every page
// before a journal is opened takes the longer, the more is on file. So only this reads the tree,
// and looks at a page when it comes to it: that it is the one that was asked for, of a kind that
// can stand there, and that its keys ascend and lie between those that lead to it. bbolt itself
// comes to the tree to write. It is led to pages that were looked at here: see way.
type logTree struct {
	file *pageFile
	root uint64
	read map[uint64]*treePage
	err  error // of the first page that was not as it must be; nothing is read any more
}

// treePagesMax is how many pages a logTree remembers: those on the way to some neighboring leaves.
const treePagesMax = 64

// treePage is a page of the tree that was looked at.
type treePage struct {
	leaf  bool
	keys  []uint64   // ascending
	items []leafItem // of a leaf, one a key
	below []uint64   // of a branch, one a key
}

// span is a page, and which keys can be in it.
type span struct {
	page     uint64
	from, to uint64
}

// treeOf is nil for a tree so small that bbolt keeps it inside of its root page.
func treeOf(file io.ReaderAt, tx *bolt.Tx, log *bolt.Bucket) *logTree {
	root := uint64(log.Root())
	if root == 0 {
		return nil
	}
	size := tx.Size()
	return newLogTree(&pageFile{r: file, size: size, end: uint64(size / pageBytes)}, root)
}

func newLogTree(file *pageFile, root uint64) *logTree {
	return &logTree{file: file, root: root, read: make(map[uint64]*treePage)}
}

// way goes down to the leaf in which seq stands or would stand, and returns it and the last key
// that can be in it. Where it comes to a leaf, bbolt comes to the same one on the same way. beside
// looks at the pages next to those on the way as well: bbolt goes there when it takes something
// out, to make one page of two.
func (t *logTree) way(seq uint64, beside bool) (leaf *treePage, to uint64) {
	var left, right span
	at := span{page: t.root, to: ^uint64(0)}
	for depth := 0; t.err == nil; depth++ {
		if depth > treeDepthMax {
			t.fail(at.page, errPageDepth)
			break
		}
		page := t.look(at, depth == 0)
		before, after := page, page
		if beside && left.page != 0 {
			before = t.look(left, false)
		}
		if beside && right.page != 0 {
			after = t.look(right, false)
		}
		switch {
		case t.err != nil:
		case page.leaf != before.leaf || page.leaf != after.leaf:
			t.fail(at.page, errPageKind)
		case page.leaf:
			return page, at.to
		default:
			left, at, right = children(page, at, before, left, after, right, seq)
		}
	}
	return nil, 0
}

// children are the pages one level down: that which leads to seq, and those next to it.
func children(
	page *treePage, at span, before *treePage, left span, after *treePage, right span, seq uint64,
) (nextLeft, next, nextRight span) {
	i := page.index(seq)
	next = page.child(i, at)
	switch {
	case i > 0:
		nextLeft = page.child(i-1, at)
	case left.page != 0:
		nextLeft = before.child(len(before.below)-1, left)
	}
	switch {
	case i+1 < len(page.below):
		nextRight = page.child(i+1, at)
	case right.page != 0:
		nextRight = after.child(0, right)
	}
	return nextLeft, next, nextRight
}

// index is the branch's element that leads to seq.
func (p *treePage) index(seq uint64) int {
	return max(sort.Search(len(p.keys), func(i int) bool { return p.keys[i] > seq })-1, 0)
}

// child is the page below an element of a branch, which itself is at s.
func (p *treePage) child(i int, s span) span {
	c := span{page: p.below[i], from: p.keys[i], to: s.to}
	if i+1 < len(p.keys) {
		c.to = p.keys[i+1] - 1
	}
	return c
}

// look reads a page, unless it was read, and makes sure that it can stand where it does. Only the
// topmost may be empty.
func (t *logTree) look(s span, top bool) *treePage {
	p, known := t.read[s.page]
	if !known {
		raw, err := t.file.page(s.page, treeOverflowMax)
		if err == nil {
			p, err = parseTreePage(raw)
		}
		if err != nil {
			t.fail(s.page, err)
			return nil
		}
		if len(t.read) == treePagesMax {
			clear(t.read)
		}
		t.read[s.page] = p
	}
	n := len(p.keys)
	if (n == 0 && !top) || (n > 0 && (p.keys[0] < s.from || p.keys[n-1] > s.to)) {
		t.fail(s.page, errPageKeys)
		return nil
	}
	return p
}

func (t *logTree) fail(page uint64, err error) {
	if t.err == nil {
		t.err = fmt.Errorf("%w: page %d of the log: %w", ErrUnreadable, page, err)
	}
}

// parseTreePage makes sure that all of a page is there and that its keys ascend.
func parseTreePage(raw []byte) (*treePage, error) {
	p := &treePage{}
	switch binary.NativeEndian.Uint16(raw[8:]) {
	case pageLeaf:
		items, err := leafItems(raw)
		if err != nil {
			return nil, err
		}
		p.leaf, p.items = true, items
		for _, it := range items {
			if it.bucket || len(it.key) != 8 {
				return nil, errPageKeys
			}
			p.keys = append(p.keys, binary.BigEndian.Uint64(it.key))
		}
	case pageBranch:
		below, err := branches(raw)
		if err != nil {
			return nil, err
		}
		p.below = below
		for i := range below {
			key, ok := branchKeyAt(raw, i)
			if !ok {
				return nil, errPageKeys
			}
			p.keys = append(p.keys, key)
		}
	default:
		return nil, errPageKind
	}
	for i := 1; i < len(p.keys); i++ {
		if p.keys[i] <= p.keys[i-1] {
			return nil, errPageKeys
		}
	}
	return p, nil
}

// get returns the value at seq, or nil.
func (t *logTree) get(seq uint64) []byte {
	leaf, _ := t.way(seq, false)
	if leaf == nil {
		return nil
	}
	i := leaf.from(seq)
	if i == len(leaf.keys) || leaf.keys[i] != seq {
		return nil
	}
	return leaf.items[i].value
}

// from is where the first key of a leaf stands that is not before seq.
func (p *treePage) from(seq uint64) int {
	return sort.Search(len(p.keys), func(i int) bool { return p.keys[i] >= seq })
}

// last returns the newest entry of the tree, or nil. Behind it bbolt adds.
func (t *logTree) last() (k, v []byte) {
	leaf, _ := t.way(^uint64(0), false)
	if leaf == nil || len(leaf.items) == 0 {
		return nil, nil
	}
	it := leaf.items[len(leaf.items)-1]
	return it.key, it.value
}

// treeCursor goes through the tree in the order of seqs.
type treeCursor struct {
	t    *logTree
	leaf *treePage
	at   int
	to   uint64
}

func (c *treeCursor) seek(seq uint64) (k, v []byte) {
	if c.leaf, c.to = c.t.way(seq, false); c.leaf != nil {
		c.at = c.leaf.from(seq)
	}
	return c.here()
}

func (c *treeCursor) next() (k, v []byte) {
	c.at++
	return c.here()
}

// here is the entry at the cursor or, behind the last one of a leaf, the first of the next leaf.
func (c *treeCursor) here() (k, v []byte) {
	for c.leaf != nil && c.at >= len(c.leaf.items) {
		if c.to == ^uint64(0) {
			return nil, nil
		}
		c.leaf, c.to = c.t.way(c.to+1, false)
		c.at = 0
	}
	if c.leaf == nil {
		return nil, nil
	}
	return c.leaf.items[c.at].key, c.leaf.items[c.at].value
}
