package hal

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// GB/T 32907-2016, appendix A, examples 1 and 2: one encryption, and a million of them.
func TestSM4Standard(t *testing.T) {
	key := unhex(t, "0123456789ABCDEFFEDCBA9876543210")
	c, err := newSM4(key)
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.Clone(key)
	c.Encrypt(got, got)
	if want := unhex(t, "681EDF34D206965E86B3E94F536E4246"); !bytes.Equal(got, want) {
		t.Fatalf("once: %X, want %X", got, want)
	}
	c.Decrypt(got, got)
	if !bytes.Equal(got, key) {
		t.Fatalf("back: %X, want %X", got, key)
	}
	for range 1_000_000 {
		c.Encrypt(got, got)
	}
	if want := unhex(t, "595298C7C6FD271F0402F804C33D3F66"); !bytes.Equal(got, want) {
		t.Fatalf("a million times: %X, want %X", got, want)
	}
}

func TestSM4AgreesWithTheNaiveWay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var key, plain, got, want [16]byte
		for i := range key {
			key[i], plain[i] = byte(random.Uint32()), byte(random.Uint32())
		}
		c, err := newSM4(key[:])
		if err != nil {
			t.Fatal(err)
		}
		c.Encrypt(got[:], plain[:])
		naiveSM4(key[:]).Encrypt(want[:], plain[:])
		if got != want {
			t.Fatalf("key %x, block %x: %x, naive %x", key, plain, got, want)
		}
		if c.Decrypt(got[:], got[:]); got != plain {
			t.Fatalf("key %x, block %x: back came %x", key, plain, got)
		}
	}
	if _, err := newSM4(make([]byte, 15)); err == nil {
		t.Error("a key of 15 bytes was taken")
	}
}

// naive is SM4 the way the standard writes it: the S-box from its formula, the state as a list of
// 36 words. It shares nothing with the other one.
type naive struct{ key []byte }

func naiveSM4(key []byte) *naive { return &naive{key} }

func (*naive) BlockSize() int { return 16 }

func (*naive) Decrypt(_, _ []byte) { panic("not needed") }

func (n *naive) Encrypt(dst, src []byte) {
	k := []uint32{0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC}
	x := make([]uint32, 4)
	for i := range x {
		k[i] ^= binary.BigEndian.Uint32(n.key[4*i:])
		x[i] = binary.BigEndian.Uint32(src[4*i:])
	}
	for i := range 32 {
		var ck [4]byte
		for j := range ck {
			ck[j] = byte((4*i + j) * 7)
		}
		b := naiveTau(k[i+1] ^ k[i+2] ^ k[i+3] ^ binary.BigEndian.Uint32(ck[:]))
		k = append(k, k[i]^b^bits.RotateLeft32(b, 13)^bits.RotateLeft32(b, 23))
		b = naiveTau(x[i+1] ^ x[i+2] ^ x[i+3] ^ k[i+4])
		x = append(x, x[i]^b^bits.RotateLeft32(b, 2)^bits.RotateLeft32(b, 10)^
			bits.RotateLeft32(b, 18)^bits.RotateLeft32(b, 24))
	}
	for i := range 4 {
		binary.BigEndian.PutUint32(dst[4*i:], x[35-i])
	}
}

func naiveTau(x uint32) uint32 {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], x)
	for i := range b {
		b[i] = naiveBox[b[i]]
	}
	return binary.BigEndian.Uint32(b[:])
}

// naiveBox is S(x) = A(I(A(x))), where A is a circulant matrix plus 0xD3, and I the inverse in
// GF(2^8) modulo x^8+x^7+x^6+x^5+x^4+x^2+1. (F. Liu et al., "Analysis of the SMS4 block cipher".)
var naiveBox = func() (box [256]byte) {
	for x := range box {
		box[x] = naiveAffine(naiveInverse(naiveAffine(byte(x))))
	}
	return box
}()

func naiveAffine(x byte) (y byte) {
	for i := range 8 {
		y |= byte(bits.OnesCount8(x&bits.RotateLeft8(0xA7, i))&1) << i
	}
	return y ^ 0xD3
}

func naiveInverse(x byte) byte {
	for y := range 256 {
		if naiveTimes(int(x), y) == 1 {
			return byte(y)
		}
	}
	return 0
}

func naiveTimes(a, b int) (product int) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a > 255 {
			a ^= 0x1F5
		}
	}
	return product
}

func TestSM4Box(t *testing.T) {
	if sm4Box != naiveBox {
		t.Errorf("the table is %x, its formula gives %x", sm4Box, naiveBox)
	}
}

func BenchmarkSM4(b *testing.B) {
	c, err := newSM4(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	var block [16]byte
	b.SetBytes(16)
	for range b.N {
		c.Encrypt(block[:], block[:])
	}
}
