package hal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // the hosts' choice: the standards behind these MACs are DES
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// keyCipher is the block cipher a key is for.
type keyCipher uint8

const (
	cipherDES keyCipher = iota + 1
	cipherAES
	cipherSM4
)

func parseKeyCipher(name string) (keyCipher, bool) {
	for _, c := range []keyCipher{cipherDES, cipherAES, cipherSM4} {
		if c.String() == name {
			return c, true
		}
	}
	return 0, false
}

func (c keyCipher) String() string {
	switch c {
	case cipherDES:
		return "des"
	case cipherAES:
		return "aes"
	case cipherSM4:
		return "sm4"
	}
	return fmt.Sprintf("keyCipher(%d)", uint8(c))
}

// block makes the cipher ready to encrypt with a key. A DES key of 16 bytes is K1 K2 K1.
func (c keyCipher) block(key []byte) (cipher.Block, error) {
	switch c {
	case cipherDES:
		//nolint:gosec // the hosts' choice
		switch len(key) {
		case 8:
			return des.NewCipher(key)
		case 16:
			var triple [24]byte
			defer clear(triple[:])
			copy(triple[copy(triple[:], key):], key[:8])
			return des.NewTripleDESCipher(triple[:])
		default:
			return des.NewTripleDESCipher(key)
		}
	case cipherAES:
		return aes.NewCipher(key)
	case cipherSM4:
		return newSM4(key)
	}
	return nil, fmt.Errorf("%w: %v", ErrSignerAlgorithm, c)
}

// checkValue is the beginning of zeros encrypted with the key, by which both sides see that they
// have the same one.
func (c keyCipher) checkValue(key []byte) ([]byte, error) {
	b, err := c.block(key)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, b.BlockSize())
	b.Encrypt(zeros, zeros)
	return zeros[:checkValueBytes], nil
}

// checkValueBytes is how much of it UnionPay sends.
const checkValueBytes = 4

// unionPayMACBytes is the length of field 64.
const unionPayMACBytes = 8

// computeMAC is the whole MAC of data. The key must be one for the algorithm.
func computeMAC(a MACAlgorithm, c keyCipher, key, data []byte) ([]byte, error) {
	if want, fits := a.takes(c, len(key)); !fits {
		return nil, fmt.Errorf("%w: %v wants %s, the key is %v with %d bytes",
			ErrSignerAlgorithm, a, want, c, len(key))
	}
	if a == MACX919 {
		return retailMAC(key, data)
	}
	b, err := c.block(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAlgorithm, err)
	}
	switch a {
	case MACUnionPayECB, MACUnionPaySM4:
		return foldedMAC(b, data), nil
	case MACX99:
		return cbcMAC(b, data), nil
	case MACAESCMAC:
		return cmac(b, data), nil
	case MACNone, MACX919: // neither comes this far
	}
	return nil, fmt.Errorf("%w: %v", ErrSignerAlgorithm, a)
}

// takes tells whether the algorithm works with such a key, and with which it does.
func (a MACAlgorithm) takes(c keyCipher, keyBytes int) (want string, fits bool) {
	switch a {
	case MACNone:
		return "no key", false
	case MACUnionPayECB:
		return "des with 8, 16 or 24 bytes", c == cipherDES
	case MACUnionPaySM4:
		return "sm4", c == cipherSM4
	case MACX99:
		return "des with 8 bytes", c == cipherDES && keyBytes == 8
	case MACX919:
		return "des with 16 bytes", c == cipherDES && keyBytes == 16
	case MACAESCMAC:
		return "aes", c == cipherAES
	}
	return "nothing", false
}

// foldedMAC is UnionPay's. Although it is called ECB, the two encryptions are a CBC of the digits.
func foldedMAC(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	folded := make([]byte, n)
	for i, c := range data {
		folded[i%n] ^= c
	}
	digits := upperHex(folded)
	out := make([]byte, n)
	b.Encrypt(out, digits[:n])
	subtle.XORBytes(out, out, digits[n:])
	b.Encrypt(out, out)
	return upperHex(out)[:unionPayMACBytes]
}

// cbcMAC is the last block of CBC from a start of zeros, the data filled up with zeros.
func cbcMAC(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	out := make([]byte, n)
	for len(data) > 0 {
		taken := subtle.XORBytes(out, out, data[:min(n, len(data))])
		b.Encrypt(out, out)
		data = data[taken:]
	}
	return out
}

// retailMAC has DES until the last block, and what amounts to 3DES there.
func retailMAC(key, data []byte) ([]byte, error) {
	left, err := cipherDES.block(key[:8])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAlgorithm, err)
	}
	right, err := cipherDES.block(key[8:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAlgorithm, err)
	}
	out := cbcMAC(left, data)
	right.Decrypt(out, out)
	left.Encrypt(out, out)
	return out, nil
}

// cmac is RFC 4493, section 2.4: CBC whose last block is mixed with one of two subkeys, depending
// on whether it had to be filled up.
func cmac(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	subkey := make([]byte, n)
	b.Encrypt(subkey, subkey)
	double(subkey)
	last := make([]byte, n)
	whole := max(0, (len(data)-1)/n) * n
	if rest := data[whole:]; len(rest) == n {
		copy(last, rest)
	} else {
		double(subkey)
		last[copy(last, rest)] = 0x80
	}
	out := cbcMAC(b, data[:whole])
	subtle.XORBytes(last, last, subkey)
	subtle.XORBytes(out, out, last)
	b.Encrypt(out, out)
	return out
}

// double is multiplication by x in GF(2^128), in place and without a branch on the secret.
func double(k []byte) {
	carry := k[0] >> 7
	for i := range len(k) - 1 {
		k[i] = k[i]<<1 | k[i+1]>>7
	}
	k[len(k)-1] = k[len(k)-1]<<1 ^ 0x87*carry
}

func upperHex(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b))) }
