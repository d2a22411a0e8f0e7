package store

import (
	"encoding/binary"
	"fmt"
	"io"
)

// leadsNowhere follows the pages of every bucket as far down as bbolt would, and says what is wrong
// with the way. bbolt follows a page that leads to itself for ever, and remembers every step: a
// file that a careless disk has left took all of a machine's memory within seconds. Of a leaf only
// the header is read, so that this takes a few milliseconds at most.
func leadsNowhere(r io.ReaderAt, size int64) error {
	f, err := openPages(r, size)
	if err != nil {
		return err
	}
	var roots []uint64
	f.walk(f.root, func(items []leafItem, _ int64) {
		for _, it := range items {
			if it.bucket && len(it.value) >= bucketValueBytes {
				roots = append(roots, binary.NativeEndian.Uint64(it.value))
			}
		}
	}, func(page uint64, perr error) {
		err = fmt.Errorf("page %d of the root: %w", page, perr)
	})
	for _, root := range roots {
		if err == nil && root != 0 { // 0: inside of the page above it
			err = f.follow(root, 0)
		}
	}
	return err
}

func (f *pageFile) follow(id uint64, depth int) error {
	if depth > treeDepthMax {
		return fmt.Errorf("page %d of a bucket: %w", id, errPageDepth)
	}
	var head [pageHeaderBytes]byte
	switch err := f.header(id, head[:]); {
	case err != nil:
		return fmt.Errorf("page %d of a bucket: %w", id, err)
	case binary.NativeEndian.Uint16(head[8:]) == pageLeaf:
		return nil
	case binary.NativeEndian.Uint16(head[8:]) != pageBranch:
		return fmt.Errorf("page %d of a bucket: %w", id, errPageKind)
	}
	page, err := f.page(id, treeOverflowMax)
	if err != nil {
		return fmt.Errorf("page %d of a bucket: %w", id, err)
	}
	below, err := branches(page)
	if err != nil {
		return fmt.Errorf("page %d of a bucket: %w", id, err)
	}
	for _, child := range below {
		if err := f.follow(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// header reads the head of a page that belongs to a tree, and marks it as used.
func (f *pageFile) header(id uint64, head []byte) error {
	if id < 2 || id >= f.end {
		return errPageRange
	}
	if f.marked(id) {
		return errPageTwice
	}
	f.mark(id)
	if _, err := f.r.ReadAt(head, int64(id)*pageBytes); err != nil {
		return err
	}
	if binary.NativeEndian.Uint64(head) != id {
		return errPageID
	}
	return nil
}
