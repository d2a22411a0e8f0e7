package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// leadsNowhere looks at what a start goes through, and says what is wrong with it: the root page
// and what is inside of it, every page of the small buckets that have some of their own, the
// freelist, and the way to both ends of the log. What lies between them is looked at when somebody
// comes to it (see logTree), and by the check in the background, so that this takes no longer for a
// long journal than for a short one.
func leadsNowhere(r io.ReaderAt, size int64) error {
	f, err := openPages(r, size)
	if err != nil {
		return err
	}
	f.walk(f.root, func(items []leafItem, _ int64) {
		for _, it := range items {
			if it.bucket && err == nil {
				err = f.bucketLeads(it)
			}
		}
	}, func(page uint64, perr error) {
		err = fmt.Errorf("page %d of the root: %w", page, perr)
	})
	if err == nil {
		f.checkFree(func(page uint64, perr error) {
			err = fmt.Errorf("page %d of the freelist: %w", page, perr)
		})
	}
	return err
}

// bucketLeads looks at a bucket that stands in the root.
func (f *pageFile) bucketLeads(it leafItem) (err error) {
	if len(it.value) < bucketValueBytes {
		return fmt.Errorf("bucket %q: %w", it.key, errPageLayout)
	}
	root := binary.NativeEndian.Uint64(it.value)
	switch {
	case root == 0:
		_, err = leafItems(it.value[bucketValueBytes:])
	case bytes.Equal(it.key, bucketLog):
		return f.logEnds(root)
	default:
		f.walk(root, func([]leafItem, int64) {}, func(page uint64, perr error) {
			err = fmt.Errorf("page %d: %w", page, perr)
		})
	}
	if err != nil {
		return fmt.Errorf("bucket %q: %w", it.key, err)
	}
	return nil
}

// logEnds goes down to the first and to the last entry of the log.
func (f *pageFile) logEnds(root uint64) error {
	t := newLogTree(f, root)
	t.way(0, false)
	t.way(^uint64(0), false)
	if t.err != nil {
		return t.err
	}
	for page := range t.read {
		if f.marked(page) {
			return fmt.Errorf("page %d of the log: %w", page, errPageTwice)
		}
		f.mark(page)
	}
	return nil
}
