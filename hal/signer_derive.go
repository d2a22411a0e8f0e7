package hal

import (
	"context"
	"encoding/binary"
	"fmt"
	"path"
)

// KeyDeriver is what a [Signer] may be able to do beside MACs: make a secret of our data with a key
// that never leaves it. The journal's sealing key can then be had only where that key is, and
// nothing on the flash of the terminal opens a card number.
//
// The answer to the same request is the same for as long as the module has the key.
type KeyDeriver interface {
	DeriveKey(ctx context.Context, r DeriveRequest) (secret []byte, err error)
}

// DeriveRequest says of what a secret is wanted.
type DeriveRequest struct {
	KeyName string // of a key that derives keys, see DerivesKeys; empty = "kdk"
	Length  int    // of the secret in bytes, DeriveBytesMin to DeriveBytesMax
	Data    []byte // 1 to DeriveDataBytesMax bytes, no secret
}

// Limits of a derivation. Our choice: secrets are symmetric keys, and data is a random number.
const (
	DeriveBytesMin     = 16
	DeriveBytesMax     = 64
	DeriveDataBytesMax = 256
)

// keyDerive is the last part of the name of a key that derives keys, and does nothing else: a MAC
// made with it would be a secret that somebody may ask for.
const keyDerive = "kdk"

// DerivesKeys tells whether a key of that name is for deriving keys: "kdk", or "b/kdk".
func DerivesKeys(name string) bool { return ValidKeyName(name) && path.Base(name) == keyDerive }

var (
	_ KeyDeriver = (*SoftKeys)(nil)
	_ KeyDeriver = (*ExternalSigner)(nil)
)

// checked puts in what the zero values stand for, and refuses what no signer can do.
func (r DeriveRequest) checked() (DeriveRequest, error) {
	if r.KeyName == "" {
		r.KeyName = keyDerive
	}
	switch {
	case !ValidKeyName(r.KeyName):
		return r, fmt.Errorf("%w: key name %.40q", ErrSignerRequest, r.KeyName)
	case !DerivesKeys(r.KeyName):
		return r, fmt.Errorf("%w: %s is not for deriving keys", ErrSignerAlgorithm, r.KeyName)
	case r.Length < DeriveBytesMin || r.Length > DeriveBytesMax:
		return r, fmt.Errorf("%w: a secret of %d bytes, want %d to %d", ErrSignerRequest,
			r.Length, DeriveBytesMin, DeriveBytesMax)
	case len(r.Data) == 0 || len(r.Data) > DeriveDataBytesMax:
		return r, fmt.Errorf("%w: %d bytes of data, want 1 to %d", ErrSignerRequest,
			len(r.Data), DeriveDataBytesMax)
	}
	return r, nil
}

// DeriveKey implements [KeyDeriver]. The module derives as it likes.
func (e *ExternalSigner) DeriveKey(ctx context.Context, r DeriveRequest) ([]byte, error) {
	r, err := r.checked()
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	a, err := e.call(ctx, signerQuestion{
		Op: opDerive, Key: r.KeyName, Length: r.Length, Data: r.Data,
	})
	return a.Secret, err
}

// DeriveKey implements [KeyDeriver] with NIST SP 800-108 in counter mode, the CMAC of the key's
// cipher as its function, and the label of SIGNER.md.
func (s *SoftKeys) DeriveKey(ctx context.Context, r DeriveRequest) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	r, err := r.checked()
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	k := s.keys[r.KeyName]
	if k == nil {
		return nil, fmt.Errorf("derive: %w: %s", ErrSignerNoKey, r.KeyName)
	}
	secret, err := k.derive(r.Length, r.Data)
	if err != nil {
		return nil, fmt.Errorf("derive: %s: %w", r.KeyName, err)
	}
	return secret, nil
}

// deriveLabel keeps these secrets apart from others that are derived from the same key.
const deriveLabel = "reversald"

func (k *softKey) derive(length int, data []byte) ([]byte, error) {
	b, err := k.cipher.block(k.value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAlgorithm, err)
	}
	if k.cipher == cipherDES { // its blocks are too short for CMAC's constant, and for this
		return nil, fmt.Errorf("%w: want aes or sm4", ErrSignerAlgorithm)
	}
	var secret []byte
	for i := uint32(1); len(secret) < length; i++ {
		text := binary.BigEndian.AppendUint32(nil, i)
		text = append(append(text, deriveLabel...), 0)
		text = append(text, data...)
		text = binary.BigEndian.AppendUint32(text, uint32(length)*8) //nolint:gosec // at most 512
		secret = append(secret, cmac(b, text)...)
	}
	return secret[:length], nil
}
