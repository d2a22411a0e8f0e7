package hal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// cmacData is the message of RFC 4493, section 4, and of NIST SP 800-38B, appendix D.
const cmacData = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
	"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"

func ascii(s string) string { return hex.EncodeToString([]byte(s)) }

// macVectors: where no vector is published, the derivation stands beside it, each step of which
// can be done with the openssl command (enc -nopad with -des-ecb, -des-ede or -sm4-ecb).
var macVectors = []struct {
	source    string
	algorithm MACAlgorithm
	cipher    keyCipher
	key, data string // hex
	want      string // hex
}{
	// Published with its steps as a test of the project github.com/solo123/pgate,
	// test/integration/pos_mac_test.rb:
	//   folded  B9F9B96AA4FDB57F, digits 42394639423936414134464442353746
	//   first half encrypted 9FDE90A34CF73B2E, XOR second half DEEAD6E70EC20C68
	//   encrypted E267B6E21913D339, digits 45323637 42364532 …, the MAC being the first 8
	{
		"UnionPay ECB, DES, pgate", MACUnionPayECB, cipherDES, "2222222222222222",
		"1234567890ABCDEF ABCDEF1234567890", ascii("E267B6E2"),
	},
	// Ours. 20 bytes, so that the last block is filled up:
	//   0200302004C020C0 XOR 9811000000000000 XOR 0000510000000000 = 9A11612004C020C0
	//   digits "9A116120" "04C020C0"
	//   first half encrypted 26A2C6F762C9730C, XOR second half 169685C750F9303C
	//   encrypted 8C03A551AF75DC44
	{
		"UnionPay ECB, 3DES, derived with OpenSSL", MACUnionPayECB, cipherDES,
		"0123456789ABCDEF FEDCBA9876543210",
		"0200302004C020C0 9811000000000000 00005100", ascii("8C03A551"),
	},
	// Ours. 36 bytes, the last block filled up:
	//   0200302004C020C09811000000000000 XOR 00005100183402100006324392260009 XOR
	//   942820D1000000000000000000000000 = 962841F11CF422D09817324392260009
	//   digits "962841F11CF422D0" "9817324392260009"
	//   first half encrypted 10EC4E399FCF3EDD9E31DA1FF678826A
	//   XOR second half      29D47F0EACFD0AEEA703E829C648B253
	//   encrypted            1CA719FE248541B9EAE6DE57A09E3964
	{
		"UnionPay SM4, derived with OpenSSL", MACUnionPaySM4, cipherSM4,
		"0123456789ABCDEFFEDCBA9876543210",
		"0200302004C020C09811000000000000 00005100183402100006324392260009 942820D1",
		ascii("1CA719FE"),
	},
	{
		"FIPS 113, appendix 2 (the example of ANSI X9.9)", MACX99, cipherDES, "0123456789abcdef",
		ascii("7654321 Now is the time for "), "f1d30f6849312ca4",
	},
	{
		"ISO/IEC 9797-1, annex, algorithm 1, padding 1, string 1", MACX99, cipherDES,
		"0123456789ABCDEF", ascii("Now is the time for all "), "70A30640CC76DD8B",
	},
	{
		"ISO/IEC 9797-1, annex, algorithm 1, padding 1, string 2", MACX99, cipherDES,
		"0123456789ABCDEF", ascii("Now is the time for it"), "E45B3AD2B7CC0856",
	},
	{
		"ISO/IEC 9797-1, annex, algorithm 3, padding 1, string 1", MACX919, cipherDES,
		"0123456789ABCDEF FEDCBA9876543210", ascii("Now is the time for all "), "A1C72E74EA3FA9B6",
	},
	{
		"ISO/IEC 9797-1, annex, algorithm 3, padding 1, string 2", MACX919, cipherDES,
		"0123456789ABCDEF FEDCBA9876543210", ascii("Now is the time for it"), "2E2B1428CC78254F",
	},
	{
		"RFC 4493, example 1", MACAESCMAC, cipherAES, "2b7e151628aed2a6abf7158809cf4f3c",
		"", "bb1d6929e95937287fa37d129b756746",
	},
	{
		"RFC 4493, example 2", MACAESCMAC, cipherAES, "2b7e151628aed2a6abf7158809cf4f3c",
		cmacData[:32], "070a16b46b4d4144f79bdd9dd04a287c",
	},
	{
		"RFC 4493, example 3", MACAESCMAC, cipherAES, "2b7e151628aed2a6abf7158809cf4f3c",
		cmacData[:80], "dfa66747de9ae63030ca32611497c827",
	},
	{
		"RFC 4493, example 4", MACAESCMAC, cipherAES, "2b7e151628aed2a6abf7158809cf4f3c",
		cmacData, "51f0bebf7e3b9d92fc49741779363cfe",
	},
	{
		"NIST SP 800-38B, AES-192, 40 bytes", MACAESCMAC, cipherAES,
		"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
		cmacData[:80], "8a1de5be2eb31aad089a82e6ee908b0e",
	},
	{
		"NIST SP 800-38B, AES-256, 64 bytes", MACAESCMAC, cipherAES,
		"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		cmacData, "e1992190549f6ed5696a2c056c315410",
	},
}

// Every algorithm gives what its standard, or the derivation, says; and so does the naive way.
func TestMACVectors(t *testing.T) {
	for _, v := range macVectors {
		t.Run(v.source, func(t *testing.T) {
			key, data, want := unhex(t, v.key), unhex(t, v.data), unhex(t, v.want)
			got, err := computeMAC(v.algorithm, v.cipher, key, data)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%x (%s), %v, want %x", got, got, err, want)
			}
			if naive := naiveMAC(t, v.algorithm, key, data); !bytes.Equal(naive, want) {
				t.Errorf("naive: %x (%s), want %x", naive, naive, want)
			}
		})
	}
}

// The two ways agree on lengths around every block border, with keys of every length.
func TestMACAgreesWithTheNaiveWay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		algorithm MACAlgorithm
		cipher    keyCipher
		keyBytes  int
	}{
		{MACUnionPayECB, cipherDES, 8},
		{MACUnionPayECB, cipherDES, 16},
		{MACUnionPayECB, cipherDES, 24},
		{MACUnionPaySM4, cipherSM4, 16},
		{MACX99, cipherDES, 8},
		{MACX919, cipherDES, 16},
		{MACAESCMAC, cipherAES, 16},
		{MACAESCMAC, cipherAES, 24},
		{MACAESCMAC, cipherAES, 32},
	} {
		for n := 1; n < 100; n++ {
			key, data := make([]byte, c.keyBytes), make([]byte, n)
			for _, b := range [][]byte{key, data} {
				for i := range b {
					b[i] = byte(random.Uint32())
				}
			}
			before := bytes.Clone(data)
			got, err := computeMAC(c.algorithm, c.cipher, key, data)
			if err != nil {
				t.Fatal(err)
			}
			if want := naiveMAC(t, c.algorithm, key, data); !bytes.Equal(got, want) {
				t.Fatalf("%v, key %x, data %x: %x, naive %x", c.algorithm, key, data, got, want)
			}
			if !bytes.Equal(data, before) {
				t.Fatalf("%v changed its data", c.algorithm)
			}
			if len(got) != c.algorithm.Size() {
				t.Fatalf("%v: %d bytes, Size says %d", c.algorithm, len(got), c.algorithm.Size())
			}
		}
	}
}

// A key of the wrong kind is an error, for every pair there is.
func TestMACWantsAFittingKey(t *testing.T) {
	fits := map[string]bool{
		"unionpay-ecb des 8": true, "unionpay-ecb des 16": true, "unionpay-ecb des 24": true,
		"unionpay-sm4 sm4 16": true, "x9.9 des 8": true, "x9.19 des 16": true,
		"aes-cmac aes 16": true, "aes-cmac aes 24": true, "aes-cmac aes 32": true,
	}
	for a := range MACAESCMAC + 2 {
		for c := range cipherSM4 + 2 {
			for _, n := range []int{0, 7, 8, 16, 24, 32} {
				_, err := computeMAC(a, c, make([]byte, n), []byte("data"))
				if pair := fmt.Sprintf("%v %v %d", a, c, n); fits[pair] != (err == nil) {
					t.Errorf("%s: %v", pair, err)
				}
				if err != nil && !errors.Is(err, ErrSignerAlgorithm) {
					t.Errorf("%v, want ErrSignerAlgorithm", err)
				}
			}
		}
	}
}

// naiveMAC follows the standards' words with the library's modes and big numbers.
func naiveMAC(t *testing.T, a MACAlgorithm, key, data []byte) []byte {
	t.Helper()
	switch a {
	case MACUnionPayECB:
		return naiveFold(naiveBlock(t, key), data)
	case MACUnionPaySM4:
		return naiveFold(naiveSM4(key), data)
	case MACX99:
		return naiveCBC(naiveBlock(t, key), data)
	case MACX919:
		// Algorithm 1 but for the last block, which gets 3DES with K, K', K.
		data = append(bytes.Clone(data), make([]byte, -len(data)&7)...)
		before := make([]byte, 8)
		if len(data) > 8 {
			before = naiveCBC(naiveBlock(t, key[:8]), data[:len(data)-8])
		}
		last := data[len(data)-8:]
		for i := range last {
			last[i] ^= before[i]
		}
		naiveBlock(t, key).Encrypt(last, last)
		return last
	case MACAESCMAC:
		b, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		return naiveCMAC(b, data)
	case MACNone:
	}
	t.Fatalf("no naive %v", a)
	return nil
}

func naiveBlock(t *testing.T, key []byte) cipher.Block {
	t.Helper()
	if len(key) == 16 {
		key = append(bytes.Clone(key), key[:8]...)
	}
	b, err := des.NewTripleDESCipher(bytes.Repeat(key, 24/len(key))) // K K K is DES
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func naiveCBC(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	for len(data)%n != 0 {
		data = append(bytes.Clone(data), 0)
	}
	out := make([]byte, len(data))
	cipher.NewCBCEncrypter(b, make([]byte, n)).CryptBlocks(out, data)
	return out[len(out)-n:]
}

func naiveFold(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	folded := new(big.Int)
	for len(data) > 0 {
		block := make([]byte, n)
		data = data[copy(block, data):]
		folded.Xor(folded, new(big.Int).SetBytes(block))
	}
	digits := fmt.Sprintf("%0*X", 2*n, folded)
	return []byte(fmt.Sprintf("%X", naiveCBC(b, []byte(digits)))[:8])
}

// naiveCMAC is NIST SP 800-38B, section 6, with numbers of 128 bits.
func naiveCMAC(b cipher.Block, data []byte) []byte {
	l := make([]byte, 16)
	b.Encrypt(l, l)
	twice := func(k *big.Int) *big.Int {
		k = new(big.Int).Lsh(k, 1)
		if k.Bit(128) == 1 {
			k.SetBit(k, 128, 0)
			k.Xor(k, big.NewInt(0x87))
		}
		return k
	}
	k := twice(new(big.Int).SetBytes(l))
	data = bytes.Clone(data)
	if len(data) == 0 || len(data)%16 != 0 {
		k = twice(k)
		data = append(data, 0x80)
		data = append(data, make([]byte, -len(data)&15)...)
	}
	last := data[len(data)-16:]
	new(big.Int).Xor(k, new(big.Int).SetBytes(last)).FillBytes(last)
	return naiveCBC(b, data)
}
