package hal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// keyFileBytesMax is room for a few hundred keys. Our choice.
const keyFileBytesMax = 64 << 10

// OpenSoftKeys reads a key file, which must be an ordinary file that nobody but its owner may read
// or write (mode 0600 or less). It is JSON:
//
//	{"keys": {
//	  "tmk": {"cipher": "des", "value": "0123456789ABCDEFFEDCBA9876543210"},
//	  "bank2/mak": {"cipher": "aes", "value": "2B7E151628AED2A6ABF7158809CF4F3C"}
//	}}
//
// The cipher is "des" (8, 16 or 24 bytes), "aes" (16, 24 or 32) or "sm4" (16); the value is hex.
// A master key, whose name ends with "tmk", is for the keys of a sign-on; a MAC key may also stand
// in the file and never change.
func OpenSoftKeys(file string) (*SoftKeys, error) {
	raw, err := readKeyFile(file)
	if err != nil {
		return nil, fmt.Errorf("open keys %s: %w", file, err)
	}
	defer clear(raw)
	s, err := ParseSoftKeys(raw)
	if err != nil {
		return nil, fmt.Errorf("open keys %s: %w", file, err)
	}
	return s, nil
}

// ParseSoftKeys is OpenSoftKeys for what is in memory already. Its errors quote no values.
func ParseSoftKeys(raw []byte) (*SoftKeys, error) {
	var file struct {
		Keys map[string]struct {
			Cipher string   `json:"cipher"`
			Value  keyValue `json:"value"`
		} `json:"keys"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the end", ErrKeyFile)
	}
	s := &SoftKeys{keys: make(map[string]*softKey, len(file.Keys))}
	var faults []error
	for name, k := range file.Keys {
		if err := s.add(name, k.Cipher, k.Value); err != nil {
			clear(k.Value)
			faults = append(faults, fmt.Errorf("%w: %w", ErrKeyFile, err))
		}
	}
	if len(faults) > 0 {
		_ = s.Close() // which only wipes
		return nil, errors.Join(faults...)
	}
	return s, nil
}

func (s *SoftKeys) add(name, cipherName string, value keyValue) error {
	if !ValidKeyName(name) {
		return fmt.Errorf("key %.40q: want 1 to %d of a-z 0-9 . - _ /", name, keyNameBytesMax)
	}
	c, known := parseKeyCipher(cipherName)
	if !known {
		return fmt.Errorf("key %s: cipher %.20q, want des, aes or sm4", name, cipherName)
	}
	if _, err := c.block(value); err != nil {
		return fmt.Errorf("key %s: %d bytes are no key for %v", name, len(value), c)
	}
	s.keys[name] = &softKey{cipher: c, value: value}
	return nil
}

// keyValue is hex in the file.
type keyValue []byte

var errNotHex = errors.New("a value is not hex digits in quotes")

// UnmarshalJSON works on the bytes alone: a string could not be wiped.
func (v *keyValue) UnmarshalJSON(raw []byte) error {
	digits, quoted := bytes.CutPrefix(raw, []byte{'"'})
	digits, closed := bytes.CutSuffix(digits, []byte{'"'})
	if !quoted || !closed {
		return errNotHex
	}
	value := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(value, digits); err != nil {
		clear(value)
		return errNotHex // the cause would quote a digit
	}
	*v = value
	return nil
}

func readKeyFile(file string) ([]byte, error) {
	// First by name, as opening a FIFO would wait for its other end; then what was really opened.
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not an ordinary file", ErrKeyFile)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: mode %v lets others in, want 0600", ErrKeyFile, mode)
	}
	if info.Size() > keyFileBytesMax {
		return nil, fmt.Errorf("%w: %d bytes, want at most %d",
			ErrKeyFile, info.Size(), keyFileBytesMax)
	}
	raw := make([]byte, info.Size())
	if _, err := io.ReadFull(f, raw); err != nil {
		clear(raw)
		return nil, err
	}
	return raw, nil
}
