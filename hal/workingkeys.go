package hal

import (
	"crypto/subtle"
	"fmt"
)

// wrappedKey is one key of a sign-on, still encrypted under the master key.
type wrappedKey struct {
	name      string // without the slot
	encrypted []byte
	check     []byte
}

// splitWorkingKeys takes field 62 apart. The parts share the blob's memory.
//
// UnionPay knows three layouts, told apart by their length; each key is followed by four bytes of
// check value:
//
//	24 bytes   PIN key  8, MAC key  8
//	40 bytes   PIN key 16, MAC key 16
//	60 bytes   PIN key 16, MAC key 16, track key 16
func splitWorkingKeys(blob []byte) ([]wrappedKey, error) {
	names, size := []string{keyPIN, keyMAC}, 16
	switch len(blob) {
	case 24:
		size = 8
	case 40:
	case 60:
		names = append(names, keyTrack)
	default:
		return nil, fmt.Errorf("%w: %d bytes, want 24, 40 or 60", ErrSignerBlob, len(blob))
	}
	parts := make([]wrappedKey, len(names))
	for i, name := range names {
		part := blob[i*(size+checkValueBytes):][:size+checkValueBytes]
		parts[i] = wrappedKey{name: name, encrypted: part[:size], check: part[size:]}
	}
	return parts, nil
}

// absent tells whether the host has left the key out, which it says by zeros throughout.
func (w wrappedKey) absent() bool { return allZero(w.encrypted) && allZero(w.check) }

// unwrap decrypts the key block by block under the master key and compares the check value.
//
// A MAC key in the layouts of 40 and 60 bytes may be a single DES key: then the second half of its
// 16 bytes is zeros, as they come, and only the first half is a key.
func (w wrappedKey) unwrap(c keyCipher, master []byte) ([]byte, error) {
	encrypted := w.encrypted
	if half := len(encrypted) / 2; c == cipherDES && half == 8 && allZero(encrypted[half:]) {
		encrypted = encrypted[:half]
	}
	b, err := c.block(master)
	if err != nil {
		return nil, fmt.Errorf("%w: master key: %w", ErrSignerAlgorithm, err)
	}
	n := b.BlockSize()
	if c == cipherAES || len(encrypted)%n != 0 {
		return nil, fmt.Errorf("%w: %s of %d bytes under a master key for %v",
			ErrSignerBlob, w.name, len(w.encrypted), c)
	}
	key := make([]byte, len(encrypted))
	for at := 0; at < len(key); at += n {
		b.Decrypt(key[at:], encrypted[at:])
	}
	check, err := c.checkValue(key)
	if err != nil {
		clear(key)
		return nil, fmt.Errorf("%w: %s: %w", ErrSignerBlob, w.name, err)
	}
	if subtle.ConstantTimeCompare(check, w.check) != 1 {
		clear(key)
		return nil, fmt.Errorf("%w: %s", ErrSignerCheckValue, w.name)
	}
	return key, nil
}

// unwrapAll gives the keys of a blob by name, all of them or none. A MAC key must be among them.
func unwrapAll(c keyCipher, master, blob []byte) (map[string][]byte, error) {
	parts, err := splitWorkingKeys(blob)
	if err != nil {
		return nil, err
	}
	keys := make(map[string][]byte, len(parts))
	for _, part := range parts {
		if part.absent() {
			continue
		}
		key, err := part.unwrap(c, master)
		if err != nil {
			wipeAll(keys)
			return nil, err
		}
		keys[part.name] = key
	}
	if keys[keyMAC] == nil {
		wipeAll(keys)
		return nil, fmt.Errorf("%w: no MAC key in it", ErrSignerBlob)
	}
	return keys, nil
}

func wipeAll(keys map[string][]byte) {
	for _, key := range keys {
		clear(key)
	}
}

func allZero(b []byte) bool {
	var all byte
	for _, c := range b {
		all |= c
	}
	return all == 0
}
