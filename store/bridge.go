package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// bridges stand where entries are missing: for the first entry after a gap, the chain of the entry
// that was there before it, or nothing where that was lost as well. What was forgotten leaves
// bridges at or before base, to entries of keys that were open then; damage that was salvaged
// leaves them behind it.
type bridges map[uint64][]byte

// bridgeLost is the value of a bridge from an entry that nobody has any more.
var bridgeLost = []byte{}

// prove computes what ties base, the number of entries kept before it, and the bridges together:
// none of them can be taken away or changed without the key.
func (b bridges) prove(c *chainer, m *journalMeta) [16]byte {
	text := append([]byte("bridges\x00"), baseValue(m.base, m.chain)...)
	text = binary.BigEndian.AppendUint64(text, m.kept)
	for _, seq := range slices.Sorted(maps.Keys(b)) {
		text = binary.BigEndian.AppendUint64(text, seq)
		text = append(text, byte(len(b[seq])))
		text = append(text, b[seq]...)
	}
	return c.next(m.id, text)
}

// before is the chain of the entry before seq by its bridge; ok says that there is a bridge,
// known that it says what that chain was.
func (b bridges) before(seq uint64) (chain [16]byte, known, ok bool) {
	v, ok := b[seq]
	if len(v) != len(chain) {
		return chain, false, ok
	}
	return [16]byte(v), true, ok
}

// end is the newest number that was given out, when last is the newest on file.
func (b bridges) end(last uint64) uint64 {
	for seq := range b {
		last = max(last, seq-1)
	}
	return last
}

// add takes one key and value of the bridge bucket; false means that it is none.
func (b bridges) add(k, v []byte) bool {
	if len(k) != 8 || (len(v) != 0 && len(v) != chainBytes) {
		return false
	}
	b[binary.BigEndian.Uint64(k)] = append([]byte{}, v...)
	return true
}

// readBridges reads them from a journal; one of format 1 has none.
func readBridges(tx *bolt.Tx) (bridges, error) {
	b := make(bridges)
	bucket := tx.Bucket(bucketBridge)
	if bucket == nil {
		return b, nil
	}
	err := bucket.ForEach(func(k, v []byte) error {
		if !b.add(k, v) {
			return ErrUnreadable
		}
		return nil
	})
	return b, err
}

// replace writes the difference between what was there and what shall be.
func (b bridges) replace(tx *bolt.Tx, was bridges) error {
	bucket := tx.Bucket(bucketBridge)
	var err error
	for seq := range was {
		if _, is := b[seq]; !is {
			err = errors.Join(err, bucket.Delete(logKey(seq)))
		}
	}
	for seq, v := range b {
		if old, had := was[seq]; had && string(old) == string(v) {
			continue
		}
		err = errors.Join(err, bucket.Put(logKey(seq), v))
	}
	return err
}
