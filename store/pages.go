package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The layout of bbolt's pages, as far as a reader needs it: a header of 16 bytes (id, flags,
// count, overflow), then elements of 16 bytes, then keys and values.
const (
	pageHeaderBytes  = 16
	pageElementBytes = 16
	pageBranch       = 0x01
	pageLeaf         = 0x02
	pageFreelist     = 0x10
	leafIsBucket     = 0x01
	bucketValueBytes = 16 // root page, 0 for a bucket kept inline, and a counter
	treeDepthMax     = 16
	treeOverflowMax  = 64 // pages that belong to one of the tree: a few entries of 4 KiB
)

// pageFile reads a bbolt file without bbolt and without mapping it: nothing in it can make this
// panic, loop or fault, however damaged it is.
type pageFile struct {
	r    io.ReaderAt
	size int64  // of the file
	end  uint64 // pages in use, by the newest meta page
	root uint64
	free uint64 // page of the freelist
	txid uint64
	seen []uint64 // one bit a page that belongs to a tree
}

// openPages finds the newest good meta page. Without one, or with one that promises more than
// the file has, pages can still be read one by one, and the error says what is wrong.
func openPages(r io.ReaderAt, size int64) (*pageFile, error) {
	f := &pageFile{r: r, size: size}
	m, err := newestMeta(r, size)
	if err != nil {
		f.end = uint64(size / pageBytes)
		return f, err
	}
	f.start(m)
	return f, nil
}

// start takes what a meta page says.
func (f *pageFile) start(m boltMeta) {
	f.root, f.free, f.txid = m.root, m.freelist, m.txid
	f.end = min(m.end, uint64(f.size/pageBytes))
	f.seen = make([]uint64, f.end/64+1)
}

func (f *pageFile) marked(id uint64) bool { return f.seen[id/64]>>(id%64)&1 == 1 }
func (f *pageFile) mark(id uint64)        { f.seen[id/64] |= 1 << (id % 64) }

// Faults of a page; they come wrapped with its number.
var (
	errPageRange  = errors.New("outside the file")
	errPageID     = errors.New("holds another page")
	errPageKind   = errors.New("is of the wrong kind")
	errPageLayout = errors.New("its elements do not fit")
	errPageTwice  = errors.New("is used twice")
	errPageDepth  = errors.New("lies too deep")
	errPageKeys   = errors.New("its keys can not stand there")
)

// page reads a page with what overflows from it. limit is how many pages that may be.
func (f *pageFile) page(id, limit uint64) ([]byte, error) {
	if id < 2 || id >= f.end {
		return nil, errPageRange
	}
	block := make([]byte, pageBytes)
	if _, err := f.r.ReadAt(block, int64(id)*pageBytes); err != nil {
		return nil, err
	}
	if binary.NativeEndian.Uint64(block) != id {
		return nil, errPageID
	}
	more := uint64(binary.NativeEndian.Uint32(block[12:]))
	if more == 0 {
		return block, nil
	}
	if more > limit || id+more >= f.end {
		return nil, errPageLayout
	}
	block = append(block, make([]byte, more*pageBytes)...)
	if _, err := f.r.ReadAt(block[pageBytes:], int64(id+1)*pageBytes); err != nil {
		return nil, err
	}
	return block, nil
}

// leafItem is one key of a leaf; key and value point into the page.
type leafItem struct {
	bucket     bool
	key, value []byte
	at         int64 // of the value within the page
}

// leafItems reads a leaf, which may be inline in another one. It returns what comes before the
// first element that does not fit.
func leafItems(page []byte) ([]leafItem, error) {
	if len(page) < pageHeaderBytes {
		return nil, errPageLayout
	}
	ne := binary.NativeEndian
	if ne.Uint16(page[8:]) != pageLeaf {
		return nil, errPageKind
	}
	count := int(ne.Uint16(page[10:]))
	if pageHeaderBytes+count*pageElementBytes > len(page) {
		return nil, errPageLayout
	}
	items := make([]leafItem, 0, count)
	for i := range count {
		head := pageHeaderBytes + i*pageElementBytes
		e := page[head:]
		pos := int64(head) + int64(ne.Uint32(e[4:]))
		k, v := int64(ne.Uint32(e[8:])), int64(ne.Uint32(e[12:]))
		if pos+k+v > int64(len(page)) {
			return items, errPageLayout
		}
		items = append(items, leafItem{
			bucket: ne.Uint32(e)&leafIsBucket != 0, at: pos + k,
			key: page[pos : pos+k : pos+k], value: page[pos+k : pos+k+v : pos+k+v],
		})
	}
	return items, nil
}

// leaf reads a leaf. One whose header says too few pages is read with those behind it, as bbolt
// does without looking: the error stays, and what is in it can be judged by itself.
func (f *pageFile) leaf(id uint64, page []byte) ([]leafItem, error) {
	items, err := leafItems(page)
	if err == nil || len(page) > pageBytes {
		return items, err
	}
	const behind = 3
	more := make([]byte, min(behind, f.end-id-1)*pageBytes)
	if _, rerr := f.r.ReadAt(more, int64(id+1)*pageBytes); rerr != nil {
		return items, err
	}
	if again, _ := leafItems(append(page, more...)); len(again) > len(items) {
		items = again
	}
	return items, err
}

// branches reads the pages that a branch refers to.
func branches(page []byte) ([]uint64, error) {
	ne := binary.NativeEndian
	count := int(ne.Uint16(page[10:]))
	if count == 0 || pageHeaderBytes+count*pageElementBytes > len(page) {
		return nil, errPageLayout
	}
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = ne.Uint64(page[pageHeaderBytes+i*pageElementBytes+8:])
	}
	return ids, nil
}

// walk calls visit with the leaves below a page in the order of their keys, and bad with every
// page that cannot be read. at is where the leaf begins in the file.
func (f *pageFile) walk(
	id uint64, visit func(items []leafItem, at int64), bad func(page uint64, err error),
) {
	f.descend(id, 0, visit, bad)
}

func (f *pageFile) descend(
	id uint64, depth int, visit func([]leafItem, int64), bad func(uint64, error),
) {
	if depth > treeDepthMax {
		bad(id, errPageDepth)
		return
	}
	page, err := f.page(id, treeOverflowMax)
	if err != nil {
		bad(id, err)
		return
	}
	for i := range uint64(len(page) / pageBytes) {
		if f.marked(id + i) {
			bad(id+i, errPageTwice)
			return
		}
		f.mark(id + i)
	}
	switch binary.NativeEndian.Uint16(page[8:]) {
	case pageLeaf:
		items, err := f.leaf(id, page)
		visit(items, int64(id)*pageBytes)
		if err != nil {
			bad(id, err)
		}
	case pageBranch:
		ids, err := branches(page)
		if err != nil {
			bad(id, err)
		}
		for _, child := range ids {
			f.descend(child, depth+1, visit, bad)
		}
	default:
		bad(id, errPageKind)
	}
}

// freePages is what the freelist names, and marks the pages of the list itself.
func (f *pageFile) freePages() ([]uint64, error) {
	page, err := f.page(f.free, f.end/8)
	if err != nil {
		return nil, fmt.Errorf("freelist: %w", err)
	}
	ne := binary.NativeEndian
	if ne.Uint16(page[8:]) != pageFreelist {
		return nil, fmt.Errorf("freelist: %w", errPageKind)
	}
	count, ids := uint64(ne.Uint16(page[10:])), page[pageHeaderBytes:]
	if count == 0xffff {
		count, ids = ne.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return nil, fmt.Errorf("freelist: %w", errPageLayout)
	}
	free := make([]uint64, count)
	for i := range free {
		free[i] = ne.Uint64(ids[i*8:])
		if free[i] < 2 || free[i] >= f.end {
			return nil, fmt.Errorf("freelist: page %d: %w", free[i], errPageRange)
		}
	}
	for i := range uint64(len(page) / pageBytes) {
		f.mark(f.free + i)
	}
	return free, nil
}

// checkFree compares the freelist with what the trees use: a page that is both would be written
// over by a later commit. Call it after the walks.
func (f *pageFile) checkFree(bad func(page uint64, err error)) {
	free, err := f.freePages()
	if err != nil {
		bad(f.free, err)
		return
	}
	for _, id := range free {
		if f.marked(id) {
			bad(id, errPageFree)
		}
	}
}

var errPageFree = errors.New("is in use, and free as well")

// scan calls visit with every leaf in the file, in whatever tree or none: what is left where the
// way to it is destroyed.
func (f *pageFile) scan(visit func(items []leafItem, at int64)) {
	all := &pageFile{r: f.r, size: f.size, end: uint64(f.size / pageBytes)}
	for id := uint64(2); id < all.end; id++ {
		page, err := all.page(id, treeOverflowMax)
		if err != nil || binary.NativeEndian.Uint16(page[8:]) != pageLeaf {
			continue
		}
		items, err := all.leaf(id, page)
		if err != nil && len(items) == 0 {
			continue
		}
		visit(items, int64(id)*pageBytes)
	}
}
