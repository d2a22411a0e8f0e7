package store

import (
	"encoding/binary"
	"fmt"
)

// leadsNowhere follows the log's pages as far down as bbolt would, and says what is wrong with the
// way. bbolt follows a page that leads to itself for ever, and remembers every step: a file that a
// careless disk has left took all of a machine's memory within seconds. Of a leaf only the header
// is read, so that this takes no longer than bbolt's own first look.
func (s *survey) leadsNowhere() error {
	if len(s.log) == 0 {
		return fmt.Errorf("log: %w", errPageLayout)
	}
	for _, part := range s.log {
		if len(part.value) < bucketValueBytes {
			return fmt.Errorf("log: %w", errPageLayout)
		}
		root := binary.NativeEndian.Uint64(part.value)
		if root == 0 {
			continue // inside of the page above it
		}
		if err := s.file.follow(root, 0); err != nil {
			return err
		}
	}
	return nil
}

func (f *pageFile) follow(id uint64, depth int) error {
	if depth > treeDepthMax {
		return fmt.Errorf("page %d of the log: %w", id, errPageDepth)
	}
	var head [pageHeaderBytes]byte
	switch err := f.header(id, head[:]); {
	case err != nil:
		return fmt.Errorf("page %d of the log: %w", id, err)
	case binary.NativeEndian.Uint16(head[8:]) == pageLeaf:
		return nil
	case binary.NativeEndian.Uint16(head[8:]) != pageBranch:
		return fmt.Errorf("page %d of the log: %w", id, errPageKind)
	}
	page, err := f.page(id, treeOverflowMax)
	if err != nil {
		return fmt.Errorf("page %d of the log: %w", id, err)
	}
	below, err := branches(page)
	if err != nil {
		return fmt.Errorf("page %d of the log: %w", id, err)
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
