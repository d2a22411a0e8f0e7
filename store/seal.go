package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
)

// keyBytes is the length of a key.
const keyBytes = 32

// sealOverhead is what sealing adds to a secret: nonce in front, tag behind.
const sealOverhead = sealNonceBytes + 16

// sealNonceBytes: 96 random bits for every value. The key of one journal seals at most one value
// an entry; even 2^32 of them collide with a chance of 2^-33, and a terminal writes some thousand
// a day. A counter would need a durable place of its own, and would repeat when a file is put
// back from a copy; randomness does not.
const sealNonceBytes = 12

// keyring is everything derived from the key file for one journal.
type keyring struct {
	aead  cipher.AEAD
	chain []byte   // the key the chain is computed with
	check [16]byte // stored in the journal, to tell a wrong key file from damage

	lookup []byte    // the key of LookupHash
	master masterKey // that all were derived from
	spare  bool      // the key file holds another one as well
}

// newKeyring derives one key a purpose, bound to the journal: HMAC-SHA256 over a label and the id.
func newKeyring(from masterKey, id [16]byte) *keyring {
	master := from.key
	// Neither has anything to refuse: 32 bytes are a key for AES, and its blocks are those of GCM.
	block, _ := aes.NewCipher(derive(master, "seal", id))
	aead, _ := cipher.NewGCM(block)
	k := &keyring{
		aead: aead, chain: derive(master, "chain", id), lookup: derive(master, "lookup", id),
		master: from,
	}
	copy(k.check[:], derive(master, "check", id))
	return k
}

func derive(master []byte, purpose string, id [16]byte) []byte {
	h := hmac.New(sha256.New, master)
	h.Write([]byte("reversald store v1 " + purpose + "\x00"))
	h.Write(id[:])
	return h.Sum(nil)
}

// seal appends nonce, ciphertext and tag to dst.
func (k *keyring) seal(dst, secret []byte, seq, key uint64, kind uint8) ([]byte, error) {
	var nonce [sealNonceBytes]byte
	if _, err := io.ReadFull(rand.Reader, nonce[:]); err != nil {
		return nil, fmt.Errorf("nonce: %w", err)
	}
	dst = append(dst, nonce[:]...)
	return k.aead.Seal(dst, nonce[:], secret, sealContext(seq, key, kind)), nil
}

// unseal refuses a value that was moved to another entry, cut, or sealed with another key.
func (k *keyring) unseal(sealed []byte, seq, key uint64, kind uint8) ([]byte, error) {
	if len(sealed) < sealOverhead {
		return nil, ErrNoSeal
	}
	nonce, box := sealed[:sealNonceBytes], sealed[sealNonceBytes:]
	secret, err := k.aead.Open(nil, nonce, box, sealContext(seq, key, kind))
	if err != nil {
		return nil, ErrNoSeal
	}
	return secret, nil
}

// sealContext is authenticated with the secret: a sealed card number is good for its entry only.
func sealContext(seq, key uint64, kind uint8) []byte {
	b := make([]byte, 0, 18)
	b = append(b, entryVersion, kind)
	b = binary.BigEndian.AppendUint64(b, seq)
	return binary.BigEndian.AppendUint64(b, key)
}

// chainer computes chains one after the other without allocating. Not safe for concurrent use.
type chainer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func (k *keyring) newChainer() *chainer {
	return &chainer{mac: newMAC(k.chain)}
}

func newMAC(key []byte) hash.Hash { return hmac.New(sha256.New, key) }

// next is the chain of an entry with the given bytes that follows one with chain prev.
func (c *chainer) next(prev [16]byte, chained []byte) [16]byte {
	c.mac.Reset()
	c.mac.Write(prev[:])
	c.mac.Write(chained)
	return [16]byte(c.mac.Sum(c.sum[:0]))
}

// genesis is what the first entry follows.
func (c *chainer) genesis(id [16]byte) [16]byte {
	return c.next([16]byte{}, id[:])
}
