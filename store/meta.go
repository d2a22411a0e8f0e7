package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// formatVersion is what this code writes; it reads nothing newer, and copies what is older into
// new files. It goes up by one whenever a reader of the version before would be misled.
//
//	1  the first
//	2  retention: bridges, payments counted, the damage of open keys kept in the index
//	3  the newest entries of the log in the tail
const formatVersion = 3

// journalMeta is what the meta bucket says about the whole journal.
type journalMeta struct {
	format   uint16
	id       [16]byte // drawn at creation; ring and keys are bound to it
	check    [16]byte // proves the key file
	terminal string
	base     uint64   // everything up to here was forgotten, but what was open; 0 for nothing
	chain    [16]byte // of the entry at base, or the genesis
	payments uint64   // stories on file, open or closed
	kept     uint64   // entries at or before base that are still there
	proof    [16]byte // over base and bridges: see bridges.prove
	prior    []byte   // id, last seq and last chain of the journal this one was made from; or nil
}

const priorBytes = 16 + 8 + 16

var (
	metaFormat   = []byte("format")
	metaID       = []byte("id")
	metaCheck    = []byte("check")
	metaTerminal = []byte("terminal")
	metaBase     = []byte("base")
	metaPayments = []byte("payments")
	metaProof    = []byte("proof")
	metaPrior    = []byte("prior")
)

func (m *journalMeta) write(tx *bolt.Tx) error {
	now := journalMeta{format: formatVersion}
	for _, name := range append(now.buckets(), bucketMeta) {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	b := tx.Bucket(bucketMeta)
	var err error
	for _, kv := range []struct{ key, value []byte }{
		{metaFormat, binary.BigEndian.AppendUint16(nil, formatVersion)},
		{metaID, m.id[:]},
		{metaCheck, m.check[:]},
		{metaTerminal, []byte(m.terminal)},
		{metaPrior, m.prior},
	} {
		err = errors.Join(err, b.Put(kv.key, kv.value))
	}
	return errors.Join(err, putPayments(tx, m.payments), m.writeBase(tx))
}

// writeBase writes what forgetting changes.
func (m *journalMeta) writeBase(tx *bolt.Tx) error {
	b := tx.Bucket(bucketMeta)
	kept := binary.BigEndian.AppendUint64(nil, m.kept)
	return errors.Join(b.Put(metaBase, baseValue(m.base, m.chain)),
		b.Put(metaProof, append(kept, m.proof[:]...)))
}

func baseValue(base uint64, chain [16]byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, base), chain[:]...)
}

func putPayments(tx *bolt.Tx, n uint64) error {
	return tx.Bucket(bucketMeta).Put(metaPayments, binary.BigEndian.AppendUint64(nil, n))
}

func (m *journalMeta) read(tx *bolt.Tx) error {
	b := tx.Bucket(bucketMeta)
	if b == nil {
		return fmt.Errorf("%w: a bbolt file, but not a journal", ErrUnreadable)
	}
	if err := m.parse(b.Get); err != nil {
		return err
	}
	for _, name := range m.buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: the bucket %s is missing", ErrUnreadable, name)
		}
	}
	return nil
}

// buckets are those that a journal of this format has besides meta.
func (m *journalMeta) buckets() [][]byte {
	names := [][]byte{bucketLog, bucketOpen}
	if m.format > 1 {
		names = append(names, bucketBridge)
	}
	if m.format > 2 {
		names = append(names, bucketsTail[:]...)
	}
	return names
}

// parse takes the values of the meta bucket from get, which returns nil for what is not there.
// What it keeps it copies.
func (m *journalMeta) parse(get func(key []byte) []byte) error {
	format := get(metaFormat)
	if len(format) != 2 {
		return fmt.Errorf("%w: no format version", ErrUnreadable)
	}
	m.format = binary.BigEndian.Uint16(format)
	if m.format > formatVersion {
		return fmt.Errorf("%w: format %d, this program knows %d", ErrNewer, m.format, formatVersion)
	}
	id, check, base := get(metaID), get(metaCheck), get(metaBase)
	if m.format == 0 || len(id) != 16 || len(check) != 16 || len(base) != 24 {
		return fmt.Errorf("%w: its meta bucket is incomplete", ErrUnreadable)
	}
	m.id, m.check = [16]byte(id), [16]byte(check)
	m.terminal = string(get(metaTerminal))
	m.base, m.chain = binary.BigEndian.Uint64(base), [16]byte(base[8:])
	if m.format == 1 {
		return nil
	}
	payments, proof, prior := get(metaPayments), get(metaProof), get(metaPrior)
	if len(payments) != 8 || len(proof) != 24 || (len(prior) != 0 && len(prior) != priorBytes) {
		return fmt.Errorf("%w: its meta bucket is incomplete", ErrUnreadable)
	}
	m.payments = binary.BigEndian.Uint64(payments)
	m.kept, m.proof = binary.BigEndian.Uint64(proof), [16]byte(proof[8:])
	m.prior = append([]byte(nil), prior...)
	return nil
}
