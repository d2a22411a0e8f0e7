package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// formatVersion is what this code writes; it reads nothing newer.
const formatVersion = 1

// journalMeta is what the meta bucket says about the whole journal. It is written once.
type journalMeta struct {
	id       [16]byte // drawn at creation; ring and keys are bound to it
	check    [16]byte // proves the key file
	terminal string
	base     uint64   // the entry before the oldest that is kept; 0 while nothing was forgotten
	chain    [16]byte // of the entry at base, or the genesis
}

var (
	metaFormat   = []byte("format")
	metaID       = []byte("id")
	metaCheck    = []byte("check")
	metaTerminal = []byte("terminal")
	metaBase     = []byte("base")
)

func (m *journalMeta) write(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketLog, bucketOpen} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	b, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return err
	}
	for _, kv := range []struct{ key, value []byte }{
		{metaFormat, binary.BigEndian.AppendUint16(nil, formatVersion)},
		{metaID, m.id[:]},
		{metaCheck, m.check[:]},
		{metaTerminal, []byte(m.terminal)},
		{metaBase, append(binary.BigEndian.AppendUint64(nil, m.base), m.chain[:]...)},
	} {
		if err := b.Put(kv.key, kv.value); err != nil {
			return err
		}
	}
	return nil
}

func (m *journalMeta) read(tx *bolt.Tx) error {
	b := tx.Bucket(bucketMeta)
	if b == nil {
		return fmt.Errorf("%w: a bbolt file, but not a journal", ErrUnreadable)
	}
	format := b.Get(metaFormat)
	if len(format) != 2 {
		return fmt.Errorf("%w: no format version", ErrUnreadable)
	}
	if v := binary.BigEndian.Uint16(format); v > formatVersion {
		return fmt.Errorf("%w: format %d, this program knows %d", ErrNewer, v, formatVersion)
	}
	id, check, base := b.Get(metaID), b.Get(metaCheck), b.Get(metaBase)
	complete := len(id) == 16 && len(check) == 16 && len(base) == 24
	if !complete || tx.Bucket(bucketLog) == nil || tx.Bucket(bucketOpen) == nil {
		return fmt.Errorf("%w: its meta bucket is incomplete", ErrUnreadable)
	}
	m.id, m.check = [16]byte(id), [16]byte(check)
	m.terminal = string(b.Get(metaTerminal))
	m.base, m.chain = binary.BigEndian.Uint64(base), [16]byte(base[8:])
	return nil
}
