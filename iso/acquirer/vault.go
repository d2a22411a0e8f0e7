package acquirer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what terminals use
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Vault is the bank's side of the keys: the key that was put into the terminals by hand, and the
// working keys each of them got at its last sign-on. Older ones do not hold any more. Working keys
// are not on disk: after a restart every terminal has to sign on again.
type Vault struct {
	master []byte // 16 bytes

	mu     sync.Mutex
	keys   map[string][]byte // code key, by terminal
	serial uint64
	batch  int
}

// NewVault opens a vault for a master key of 16 bytes.
func NewVault(master []byte) (*Vault, error) {
	if len(master) != 16 {
		return nil, errors.New("a master key has 16 bytes")
	}
	return &Vault{master: master, keys: map[string][]byte{}, batch: 1}, nil
}

// OpenBatch is the batch that sign-ons announce from now on.
func (v *Vault) OpenBatch(batch int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.batch = batch
}

// Forget makes every key invalid, as a host that changed its keys.
func (v *Vault) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.keys)
}

// signOn draws new keys for a terminal: PIN key and code key of 16 bytes, each encrypted under the
// master key and with 4 bytes of check value behind it.
func (v *Vault) signOn(terminal string) (blob []byte, batch int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serial++
	var serial [8]byte
	binary.BigEndian.PutUint64(serial[:], v.serial)
	for _, purpose := range []string{"pin", "mac"} {
		seed := sha256.Sum256(append(append(serial[:], v.master...), purpose+terminal...))
		key := seed[:16]
		blob = append(blob, encryptBlocks(tripleDES(v.master), key)...)
		blob = append(blob, encryptBlocks(tripleDES(key), make([]byte, 8))[:4]...)
		v.keys[terminal] = key // the last one stays
	}
	return blob, v.batch
}

// Unwrap is the code key in what a sign-on hands out, for a terminal that was given the master key.
func Unwrap(master, blob []byte) ([]byte, error) {
	if len(master) != 16 || len(blob) != 40 {
		return nil, errors.New("want a master key of 16 bytes and 40 bytes of keys")
	}
	key := append([]byte{}, blob[20:36]...)
	block := tripleDES(master)
	block.Decrypt(key, key)
	block.Decrypt(key[8:], key[8:])
	if check := encryptBlocks(tripleDES(key), make([]byte, 8)); !bytes.Equal(check[:4], blob[36:]) {
		return nil, errors.New("the check value is another: the master keys differ")
	}
	return key, nil
}

// key is the code key of a terminal; the master key where the dialect hands out none.
func (v *Vault) key(terminal string, handedOut bool) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !handedOut {
		return v.master
	}
	return v.keys[terminal]
}

// tripleDES is 3DES under a key of 16 bytes.
func tripleDES(key []byte) cipher.Block {
	block, err := des.NewTripleDESCipher( //nolint:gosec // what terminals use
		append(append([]byte{}, key[:16]...), key[:8]...))
	if err != nil {
		panic("acquirer: a key of 24 bytes is refused") // it is not
	}
	return block
}

// singleDES is DES under the first 8 bytes of a key.
func singleDES(key []byte) cipher.Block {
	block, err := des.NewCipher(key[:8]) //nolint:gosec // what terminals use
	if err != nil {
		panic("acquirer: a key of 8 bytes is refused") // it is not
	}
	return block
}

// encryptBlocks encrypts block by block.
func encryptBlocks(block cipher.Block, data []byte) []byte {
	out := make([]byte, len(data))
	for at := 0; at < len(data); at += block.BlockSize() {
		block.Encrypt(out[at:], data[at:])
	}
	return out
}

// MakeMAC makes an authentication code under a key of 16 bytes, in this bank's own way: it shares
// no code with what it is there to prove. It does not know SM4.
func MakeMAC(algorithm string, key, data []byte) ([]byte, error) {
	if len(key) != 16 {
		return nil, errors.New("the terminal has no key: it has to sign on")
	}
	switch algorithm {
	case "unionpay-ecb":
		return macUnionPay(key, data), nil
	case "x9.9":
		return macChain(singleDES(key), data), nil
	case "x9.19":
		last := macChain(singleDES(key), data)
		singleDES(key[8:]).Decrypt(last, last)
		singleDES(key).Encrypt(last, last)
		return last, nil
	case "aes-cmac":
		return macAES(key, data)
	}
	return nil, fmt.Errorf("this bank does not know %s", algorithm)
}

// macUnionPay folds the data into one block, writes it as hexadecimal, and chains the two halves.
func macUnionPay(key, data []byte) []byte {
	fold := make([]byte, 8)
	for i, c := range data {
		fold[i%8] ^= c
	}
	digits := []byte(strings.ToUpper(hex.EncodeToString(fold)))
	block := tripleDES(key)
	block.Encrypt(digits, digits[:8])
	for i := range 8 {
		digits[i] ^= digits[8+i]
	}
	block.Encrypt(digits, digits[:8])
	return []byte(strings.ToUpper(hex.EncodeToString(digits[:4])))
}

// macChain is CBC without a start value; the last block is filled with zeros.
func macChain(block cipher.Block, data []byte) []byte {
	last := make([]byte, block.BlockSize())
	for at := 0; at < len(data); at += len(last) {
		for i := range last {
			if at+i < len(data) {
				last[i] ^= data[at+i]
			}
		}
		block.Encrypt(last, last)
	}
	return last
}

// macAES is RFC 4493.
func macAES(key, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	sub := make([]byte, 16)
	block.Encrypt(sub, sub)
	double := func() {
		carry := sub[0] >> 7
		for i := range sub {
			next := byte(0)
			if i < 15 {
				next = sub[i+1] >> 7
			}
			sub[i] = sub[i]<<1 | next
		}
		sub[15] ^= 0x87 * carry
	}
	double()
	if len(data) == 0 || len(data)%16 != 0 {
		double()
		data = append(append([]byte{}, data...), 0x80)
		data = append(data, make([]byte, (16-len(data)%16)%16)...)
	} else {
		data = append([]byte{}, data...)
	}
	for i := range sub {
		data[len(data)-16+i] ^= sub[i]
	}
	return macChain(block, data), nil
}
