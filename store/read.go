package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// pageEntriesMax is how many entries one read transaction looks at. A reader that held one for
// longer would keep bbolt from reusing pages, and the file would grow.
const pageEntriesMax = 1024

func logKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// Scan returns the entries from seq from on, at most limit and never more than 1,024, ascending.
// They are copies. None without an error means that the end was reached. A damaged entry is
// ErrCorrupt with its seq; what stands before it is returned as well, and a caller that wants the
// rest goes on from the seq after it.
func (j *Journal) Scan(from uint64, limit int) ([]Entry, error) {
	var es []Entry
	err := j.page(from, func(e Entry) bool {
		if len(es) >= limit {
			return false
		}
		e.clone()
		es = append(es, e)
		return true
	})
	return es, err
}

// History returns the entries of any key, open or not, at most limit, ascending. It reads forward
// from the seq that the key is named after; for an open key Story is quicker.
func (j *Journal) History(key uint64, limit int) ([]Entry, error) {
	var es []Entry
	last := j.Last()
	for from := key; from <= last && len(es) < limit; from += pageEntriesMax {
		end := from + pageEntriesMax
		err := j.page(from, func(e Entry) bool {
			if e.Seq >= end || len(es) >= limit {
				return false
			}
			if e.Key == key {
				e.clone()
				es = append(es, e)
			}
			return true
		})
		if err != nil {
			return es, err
		}
	}
	return es, nil
}

// page calls fn with up to pageEntriesMax committed entries from seq from on, until it says
// false. Entries point into the file: fn copies what it keeps.
func (j *Journal) page(from uint64, fn func(Entry) bool) error {
	if err := j.alive(); err != nil {
		return err
	}
	last := j.Last()
	return j.ledger.viewLog(func(_ *bolt.Tx, log entryLog) error {
		c := log.cursor()
		k, v := c.seek(from)
		for range pageEntriesMax {
			if k == nil {
				return nil
			}
			if len(k) != 8 {
				return fmt.Errorf("%w: log key of %d bytes", ErrUnreadable, len(k))
			}
			seq := binary.BigEndian.Uint64(k)
			if seq > last {
				return nil // on its way, not acknowledged
			}
			e, err := decodeAt(seq, v)
			if err != nil {
				return err
			}
			if !fn(e) {
				return nil
			}
			k, v = c.next()
		}
		return nil
	})
}

// Story returns the entries of an open key since it was opened, oldest first, and takes no longer
// for a long journal than for a short one. A key that is not open is ErrNotOpen. When an entry of
// it is damaged, what could be read is returned with ErrCorrupt.
func (j *Journal) Story(key uint64) ([]Entry, error) {
	if err := j.alive(); err != nil {
		return nil, err
	}
	j.mu.Lock()
	s, open := j.shown[key]
	j.mu.Unlock()
	if !open {
		return nil, fmt.Errorf("story of %d: %w", key, ErrNotOpen)
	}
	var es []Entry
	err := j.ledger.viewLog(func(_ *bolt.Tx, log entryLog) error {
		for seq := s.last; seq != 0; {
			e, err := decodeAt(seq, log.get(seq))
			if err != nil {
				return err
			}
			e.clone()
			es = append(es, e)
			seq = e.Prev
		}
		return nil
	})
	for i, k := 0, len(es)-1; i < k; i, k = i+1, k-1 {
		es[i], es[k] = es[k], es[i]
	}
	if err != nil {
		err = fmt.Errorf("story of %d: %w", key, err)
	}
	return es, err
}

// Unseal opens the secret of an entry, or returns nil for an entry without one. ErrNoSeal means
// that it was altered, moved from another entry, or sealed with another key.
func (j *Journal) Unseal(e Entry) ([]byte, error) {
	if len(e.Sealed) == 0 {
		return nil, nil
	}
	secret, err := j.keys.unseal(e.Sealed, e.Seq, e.Key, e.Kind)
	if err != nil {
		return nil, fmt.Errorf("unseal entry %d: %w", e.Seq, err)
	}
	return secret, nil
}
