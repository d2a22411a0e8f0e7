package iso

import (
	"fmt"
	"strconv"
	"strings"
)

// fieldMax is the highest field: one secondary bitmap and no third.
const fieldMax = 128

// element is how one field looks on the wire. The zero element is a field the profile has not.
type element struct {
	kind    kind
	packing packing
	length  lengthPacking // of the digits in front of a variable field
	count   int           // fixed length, or the most a variable one may have; see unit
	digits  int           // length digits of a variable field; 0 when it is fixed
	odd     oddNibble
	name    string
}

// kind is what a field's value is made of; it decides the unit that count counts in.
type kind uint8

const (
	kindNumber kind = iota + 1 // n: digits
	kindSigned                 // xn: a sign letter, then digits
	kindText                   // a, an, ans: characters
	kindTrack                  // z: digits and a separator
	kindBinary                 // b: bytes
)

// packing is how units become bytes.
type packing uint8

const (
	packChars packing = iota + 1 // one character a byte
	packBCD                      // two digits a byte
	packHex                      // two characters a byte
	packRaw                      // bytes as they are
)

// lengthPacking is how the length in front of a variable field is written.
type lengthPacking uint8

const (
	lengthChars  lengthPacking = iota + 1 // digits
	lengthBCD                             // two digits a byte, a leading zero when odd
	lengthBinary                          // one byte for up to 2 digits, two for more
	lengthTwoBCD                          // two bytes of two digits, however few there are
)

// oddNibble is where the unused half of a byte is when an odd number of digits is packed.
type oddNibble struct {
	left bool // in front of the digits, always zero; else behind them
	fill byte // what we write behind them: 0 or 15; what stands there is not looked at
}

// encoding is the profile's answer to: how are these written here, unless a field says otherwise.
type encoding struct {
	mti     packing // packChars or packBCD
	bitmap  packing // packHex or packRaw
	numeric packing // packChars or packBCD
	binary  packing // packHex or packRaw
	length  lengthPacking
	odd     oddNibble // of variable fields; fixed ones always have it in front
}

// formats are the words a field's format starts with, longest first.
var formats = []struct {
	word string
	kind kind
}{
	{"ans", kindText},
	{"an", kindText},
	{"as", kindText},
	{"ns", kindText},
	{"xn", kindSigned},
	{"a", kindText},
	{"s", kindText},
	{"n", kindNumber},
	{"z", kindTrack},
	{"b", kindBinary},
}

// parseFormat reads "n..19": what it is made of, a dot for every length digit, and how much.
func parseFormat(s string) (element, error) {
	var e element
	rest := s
	for _, f := range formats {
		if after, ok := strings.CutPrefix(s, f.word); ok {
			e.kind, rest = f.kind, after
			break
		}
	}
	size := strings.TrimLeft(rest, ".")
	e.digits = len(rest) - len(size)
	count, err := strconv.Atoi(size)
	most := 9999
	if e.digits > 0 && e.digits < 4 {
		most = []int{0, 9, 99, 999}[e.digits]
	}
	switch {
	case e.kind == 0 || err != nil || strings.ContainsAny(size, "+-_"):
		return e, fmt.Errorf("format %q is not like n6, n..19, ans...999 or b8", s)
	case e.digits == 1 || e.digits > 4:
		return e, fmt.Errorf("format %q: a variable field has 2, 3 or 4 dots", s)
	case count < 1 || count > most:
		return e, fmt.Errorf("format %q: the size must be 1 to %d", s, most)
	case e.kind == kindSigned && (e.digits > 0 || count < 2):
		return e, fmt.Errorf("format %q: a signed field is fixed, a letter and digits", s)
	}
	e.count = count
	return e, nil
}

// dress gives the element the profile's encoding.
func (e *element) dress(enc encoding) {
	e.length = enc.length
	switch e.kind {
	case kindNumber, kindSigned, kindTrack:
		e.packing = enc.numeric
	case kindText:
		e.packing = packChars
	case kindBinary:
		e.packing = enc.binary
	}
	e.odd = oddNibble{left: true}
	if e.digits > 0 || e.kind == kindTrack {
		e.odd = enc.odd
	}
}

// wireLen is how many bytes n units take, without the length in front.
func (e *element) wireLen(n int) int {
	switch e.packing {
	case packBCD:
		if e.kind == kindSigned {
			return 1 + n/2
		}
		return (n + 1) / 2
	case packHex:
		return 2 * n
	case packChars, packRaw:
	}
	return n
}

// prefixLen is how many bytes the length in front of the field takes.
func (e *element) prefixLen() int {
	switch {
	case e.digits == 0:
		return 0
	case e.length == lengthChars:
		return e.digits
	case e.length == lengthTwoBCD:
		return 2
	}
	return (e.digits + 1) / 2 // BCD, and binary, which has room to spare
}

// prefix reads the length in front of a variable field; b is exactly prefixLen long.
func (e *element) prefix(b []byte) (int, bool) {
	n := 0
	switch e.length {
	case lengthChars:
		for _, c := range b {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int(c-'0')
		}
	case lengthBCD, lengthTwoBCD:
		for _, c := range b {
			if c>>4 > 9 || c&15 > 9 {
				return 0, false
			}
			n = n*100 + int(c>>4)*10 + int(c&15)
		}
	case lengthBinary:
		for _, c := range b {
			n = n<<8 | int(c)
		}
	}
	return n, true
}

// appendPrefix writes the length n in front of a variable field.
func (e *element) appendPrefix(dst []byte, n int) []byte {
	size := e.prefixLen()
	for i := range size {
		shift := size - 1 - i
		switch e.length {
		case lengthChars:
			dst = append(dst, byte('0'+n/pow10(shift)%10))
		case lengthBCD, lengthTwoBCD:
			two := n / pow10(2*shift) % 100
			dst = append(dst, byte(two/10<<4|two%10))
		case lengthBinary:
			dst = append(dst, byte(n>>(8*shift)))
		}
	}
	return dst
}

func pow10(n int) int {
	v := 1
	for range n {
		v *= 10
	}
	return v
}
