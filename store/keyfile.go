package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// masterKey is a key that everything of a journal is derived from, and how its file says it.
type masterKey struct {
	key []byte // keyBytes
	// salt is what Options.DeriveKey makes the key of. The file then has the salt; nil: it has the
	// key itself.
	salt []byte
}

// What is in a key file: one key, or two while it is changed (see RotateKey). Keys that all stand
// there themselves follow one another without anything between; else each is a record, of which
// the first byte says what it is.
const (
	keyRecordBytes = 1 + keyBytes
	keyItself      = 1
	keySalt        = 2
)

// newMaster draws a new key, or has a new one made by whoever owns the key that it is made with.
func newMaster(o *Options) (masterKey, error) {
	var drawn [keyBytes]byte
	if _, err := io.ReadFull(rand.Reader, drawn[:]); err != nil {
		return masterKey{}, fmt.Errorf("new key: %w", err)
	}
	if o.DeriveKey == nil || o.KeyInClear {
		return masterKey{key: drawn[:]}, nil
	}
	key, err := o.derive(drawn[:])
	if err != nil {
		return masterKey{}, fmt.Errorf("new key: %w", err)
	}
	return masterKey{key: key, salt: drawn[:]}, nil
}

// derive asks for a key, and believes no answer that could not be one.
func (o *Options) derive(salt []byte) ([]byte, error) {
	if o.DeriveKey == nil {
		return nil, fmt.Errorf("%w: %s", ErrKeyElsewhere, o.KeyPath)
	}
	key, err := o.DeriveKey(bytes.Clone(salt))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyAway, err)
	}
	if len(key) != keyBytes || bytes.Equal(key, salt) || bytes.Equal(key, make([]byte, keyBytes)) {
		return nil, fmt.Errorf("%w: what it made is no key", ErrKeyAway)
	}
	return key, nil
}

// readKeys refuses a key that others can read: it would open every card number in the journal.
func readKeys(o *Options) ([]masterKey, error) {
	path := o.KeyPath
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrKeyLost, path)
	case err != nil:
		return nil, permission(err)
	case !info.Mode().IsRegular() || info.Size() > 2*keyRecordBytes:
		return nil, fmt.Errorf("%w: %s is not a file of %d bytes", ErrKeyLost, path, keyBytes)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%w: %s has mode %04o", ErrKeyWide, path, info.Mode().Perm())
	}
	all, err := os.ReadFile(path)
	if err != nil {
		return nil, permission(err)
	}
	masters, ok := parseKeys(all)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not a file of %d bytes", ErrKeyLost, path, keyBytes)
	}
	for i := range masters {
		if m := &masters[i]; m.salt != nil {
			if m.key, err = o.derive(m.salt); err != nil {
				return nil, err
			}
		}
	}
	return masters, nil
}

// parseKeys reads the content of a key file. A key that must be derived is nil.
func parseKeys(all []byte) ([]masterKey, bool) {
	switch len(all) {
	case keyBytes:
		return []masterKey{{key: all}}, true
	case 2 * keyBytes:
		return []masterKey{{key: all[:keyBytes]}, {key: all[keyBytes:]}}, true
	case keyRecordBytes, 2 * keyRecordBytes:
	default:
		return nil, false
	}
	var masters []masterKey
	for ; len(all) > 0; all = all[keyRecordBytes:] {
		switch value := all[1:keyRecordBytes]; all[0] {
		case keyItself:
			masters = append(masters, masterKey{key: value})
		case keySalt:
			masters = append(masters, masterKey{salt: value})
		default:
			return nil, false
		}
	}
	return masters, true
}

// encodeKeys is the content of a key file, the key in force first.
func encodeKeys(masters ...masterKey) []byte {
	var plain, records []byte
	derived := false
	for _, m := range masters {
		if m.salt != nil {
			derived = true
			records = append(append(records, keySalt), m.salt...)
			continue
		}
		plain = append(plain, m.key...)
		records = append(append(records, keyItself), m.key...)
	}
	if derived {
		return records
	}
	return plain
}

// writeKeys replaces the key file by one with these keys, the first of them in force.
func writeKeys(path string, masters ...masterKey) error {
	f, err := os.OpenFile(path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write key: %w", permission(err))
	}
	err = writeWhole(f, encodeKeys(masters...))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return moveInto(path)
}

// unlock derives the keys of a journal, and proves that the key file is the one it was made with.
func unlock(o *Options, m *journalMeta) (*keyring, error) {
	masters, err := readKeys(o)
	if err != nil {
		return nil, err
	}
	for _, master := range masters {
		keys := newKeyring(master, m.id)
		if hmac.Equal(keys.check[:], m.check[:]) {
			keys.spare = len(masters) > 1
			return keys, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrOtherKey, o.KeyPath)
}
