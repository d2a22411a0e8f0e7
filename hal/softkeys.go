package hal

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sort"
	"strings"
	"sync"
)

// SoftKeys is a Signer that keeps its keys in memory, read from a file. It is for development, for
// tests and for the simulator: on a terminal that takes real cards, keys belong into a module that
// nobody can read, see [ExternalSigner].
//
// It never prints a key, whatever the verb. Close overwrites the keys; copies that the Go runtime
// or a cipher has made stay in memory until they are collected.
type SoftKeys struct {
	mu         sync.Mutex
	keys       map[string]*softKey // guarded by mu
	generation uint64              // guarded by mu
	closed     bool                // guarded by mu
}

var _ Signer = (*SoftKeys)(nil)

// softKey is a key and what it is for. It is only ever held by pointer, because fmt follows no
// pointers inside of things.
type softKey struct {
	cipher  keyCipher
	value   []byte
	working bool
}

// Sign implements Signer. It does not wait for anything.
func (s *SoftKeys) Sign(ctx context.Context, r MACRequest) ([]byte, error) {
	mac, err := s.sign(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return mac, nil
}

// Verify implements Signer.
func (s *SoftKeys) Verify(ctx context.Context, r MACRequest, mac []byte) error {
	r, err := r.checked()
	if err == nil && len(mac) != r.Length && r.Algorithm != MACNone {
		err = fmt.Errorf("%w: %d bytes, want %d", ErrMACWrong, len(mac), r.Length)
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	want, err := s.sign(ctx, r)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if r.Algorithm != MACNone && subtle.ConstantTimeCompare(want, mac) != 1 {
		return fmt.Errorf("verify: %w", ErrMACWrong)
	}
	return nil
}

// LoadWorkingKeys implements Signer. The keys are gone with the process: after a start the
// terminal signs on.
func (s *SoftKeys) LoadWorkingKeys(ctx context.Context, k WorkingKeys) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, fmt.Errorf("load working keys: %w", err)
	}
	if err := k.check(); err != nil {
		return 0, fmt.Errorf("load working keys: %w", err)
	}
	name := keyName(k.Slot, keyMaster)
	master := s.keys[name]
	if master == nil {
		return 0, fmt.Errorf("load working keys: %w: %s", ErrSignerNoKey, name)
	}
	fresh, err := unwrapAll(master.cipher, master.value, k.Blob)
	if err != nil {
		return 0, fmt.Errorf("load working keys: %w", err)
	}
	for _, key := range []string{keyPIN, keyMAC, keyTrack} {
		name := keyName(k.Slot, key)
		if old := s.keys[name]; old != nil {
			clear(old.value)
			delete(s.keys, name) // a key that the host left out is not in force any more
		}
		if value := fresh[key]; value != nil {
			s.keys[name] = &softKey{cipher: master.cipher, value: value, working: true}
		}
	}
	s.generation++
	return s.generation, nil
}

// Info implements Signer.
func (s *SoftKeys) Info(ctx context.Context) (SignerInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return SignerInfo{}, fmt.Errorf("info: %w", err)
	}
	info := SignerInfo{Kind: "software", Generation: s.generation}
	for name, k := range s.keys {
		check, err := k.cipher.checkValue(k.value)
		if err != nil {
			return SignerInfo{}, fmt.Errorf("info: %s: %w", name, err)
		}
		info.Keys = append(info.Keys, KeyInfo{
			Name:    name,
			Cipher:  k.cipher.String(),
			Bits:    8 * len(k.value),
			Check:   strings.ToUpper(hex.EncodeToString(check[:3])),
			Working: k.working,
		})
	}
	sort.Slice(info.Keys, func(i, j int) bool { return info.Keys[i].Name < info.Keys[j].Name })
	return info, nil
}

// Close implements Signer.
func (s *SoftKeys) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		clear(k.value)
	}
	clear(s.keys)
	s.closed = true
	return nil
}

// Format implements fmt.Formatter, for every verb, so that no key is ever printed.
func (s *SoftKeys) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // like fmt, which drops errors of its writer too
}

// String says how many keys there are, and no more.
func (s *SoftKeys) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d software keys, generation %d", len(s.keys), s.generation)
}

// LogValue is String.
func (s *SoftKeys) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, which covers JSON and YAML too.
func (s *SoftKeys) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *SoftKeys) sign(ctx context.Context, r MACRequest) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	r, err := r.checked()
	if err != nil || r.Algorithm == MACNone {
		return nil, err
	}
	k := s.keys[r.KeyName]
	switch use := path.Base(r.KeyName); {
	case use == keyMaster || use == keyPIN || use == keyTrack || use == keyDerive:
		return nil, fmt.Errorf("%w: %s is not for MACs", ErrSignerAlgorithm, r.KeyName)
	case k == nil:
		return nil, fmt.Errorf("%w: %s", ErrSignerNoKey, r.KeyName)
	}
	mac, err := computeMAC(r.Algorithm, k.cipher, k.value, r.Data)
	if err != nil {
		return nil, err
	}
	return mac[:r.Length], nil
}

// usable is called with mu held.
func (s *SoftKeys) usable(ctx context.Context) error {
	if s.closed {
		return ErrSignerClosed
	}
	return ctx.Err()
}

// check refuses what no signer can take.
func (k WorkingKeys) check() error {
	if k.Slot != "" && !ValidKeyName(keyName(k.Slot, keyMaster)) {
		return fmt.Errorf("%w: slot %.40q", ErrSignerRequest, k.Slot)
	}
	_, err := splitWorkingKeys(k.Blob)
	return err
}
