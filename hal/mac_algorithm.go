package hal

import (
	"errors"
	"fmt"
)

// MACAlgorithm is a way to make a MAC. The text form is the one of profiles and of SIGNER.md.
type MACAlgorithm uint8

// The algorithms.
const (
	// MACNone is no MAC at all, "none".
	MACNone MACAlgorithm = iota + 1

	// MACUnionPayECB is UnionPay's own, "unionpay-ecb": all blocks of 8 bytes are XORed, the last
	// one filled with zeros; of the 16 hex digits of the result the first 8 are encrypted, XORed
	// with the other 8 and encrypted again; the MAC is the first 8 hex digits of that, as text.
	// DES with a key of 8 bytes, 3DES with 16 or 24.
	MACUnionPayECB

	// MACUnionPaySM4 is the same with blocks of 16 bytes, 32 hex digits and SM4, "unionpay-sm4".
	// The MAC is again the first 8 hex digits.
	MACUnionPaySM4

	// MACX99 is ANSI X9.9, "x9.9", the same as FIPS 113 and ISO 9797-1 algorithm 1 with padding
	// method 1: the last block of DES in CBC mode, with a key of 8 bytes.
	MACX99

	// MACX919 is ANSI X9.19, "x9.19", the same as ISO 9797-1 algorithm 3 with padding method 1:
	// X9.9 with the left half of a key of 16 bytes, decrypted with the right half and encrypted
	// with the left.
	MACX919

	// MACAESCMAC is RFC 4493, "aes-cmac", and with keys of 24 and 32 bytes NIST SP 800-38B.
	MACAESCMAC
)

var errUnknownMAC = errors.New("unknown MAC algorithm")

// macNames is indexed by algorithm.
var macNames = [...]string{
	MACNone:        "none",
	MACUnionPayECB: "unionpay-ecb",
	MACUnionPaySM4: "unionpay-sm4",
	MACX99:         "x9.9",
	MACX919:        "x9.19",
	MACAESCMAC:     "aes-cmac",
}

// ParseMACAlgorithm finds an algorithm by its text form.
func ParseMACAlgorithm(text string) (MACAlgorithm, error) {
	for a, name := range macNames {
		if name == text && name != "" {
			return MACAlgorithm(a), nil
		}
	}
	return 0, fmt.Errorf("%w %.40q", errUnknownMAC, text)
}

// Size is how many bytes a whole MAC has; 0 for MACNone and for what is none of the algorithms.
func (a MACAlgorithm) Size() int {
	switch a {
	case MACNone:
		return 0
	case MACUnionPayECB, MACUnionPaySM4:
		return unionPayMACBytes
	case MACX99, MACX919:
		return 8
	case MACAESCMAC:
		return 16
	}
	return 0
}

// String is the text form, or a number in brackets.
func (a MACAlgorithm) String() string {
	if !a.valid() {
		return fmt.Sprintf("MACAlgorithm(%d)", uint8(a))
	}
	return macNames[a]
}

func (a MACAlgorithm) valid() bool { return a != 0 && int(a) < len(macNames) }
