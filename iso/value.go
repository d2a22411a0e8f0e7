package iso

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

const hexDigits = "0123456789ABCDEF"

// appendValue appends the value that stands in wire, n units of it, in the form Message documents.
// False means that the bytes cannot be a field of this kind.
func (e *element) appendValue(dst, wire []byte, n int) ([]byte, bool) {
	start := len(dst)
	switch e.packing {
	case packChars:
		if e.kind == kindText {
			return appendLatin1(dst, wire), true
		}
		dst = append(dst, wire...)
	case packBCD:
		if e.kind == kindSigned {
			dst, wire, n = append(dst, wire[0]), wire[1:], n-1
		}
		dst = appendNibbles(dst, wire, n, e.odd.left)
	case packHex:
		for _, c := range wire {
			if c >= 'a' && c <= 'f' {
				c -= 'a' - 'A'
			}
			if c < '0' || c > '9' && c < 'A' || c > 'F' {
				return dst[:start], false
			}
			dst = append(dst, c)
		}
		return dst, true
	case packRaw:
		for _, c := range wire {
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
		return dst, true
	}
	if !e.madeOf(dst[start:]) {
		return dst[:start], false
	}
	return dst, true
}

// appendNibbles appends n packed digits as characters '0' to '?', as track encoding has it.
func appendNibbles(dst, wire []byte, n int, oddLeft bool) []byte {
	skip := 0
	if n%2 == 1 && oddLeft {
		skip = 1
	}
	for i := skip; i < n+skip; i++ {
		c := wire[i/2]
		if i%2 == 0 {
			c >>= 4
		}
		dst = append(dst, '0'+c&15)
	}
	return dst
}

// madeOf reports whether v has only characters that a field of this kind can have.
func (e *element) madeOf(v []byte) bool {
	for i, c := range v {
		digit := c >= '0' && c <= '9'
		switch e.kind {
		case kindNumber:
			if !digit {
				return false
			}
		case kindSigned:
			if i == 0 && c != 'C' && c != 'D' || i > 0 && !digit {
				return false
			}
		case kindTrack:
			if (c < '0' || c > '?') && c != 'D' && c != 'd' {
				return false
			}
		case kindText, kindBinary:
		}
	}
	return true
}

// appendLatin1 appends bytes as text, one character a byte, so that bytes above 127 (a merchant's
// name in GBK, say) survive JSON and come back as they were.
func appendLatin1(dst, b []byte) []byte {
	for _, c := range b {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, rune(c))
		}
	}
	return dst
}

// latin1Bytes is the reverse of appendLatin1; false when a character is not one byte.
func latin1Bytes(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

// fit makes a value ready for the wire: fixed numbers filled with zeros on the left, fixed text
// with spaces on the right, binary in upper case. The second result says what is wrong, "" if
// nothing.
func (e *element) fit(v string) (string, string) {
	n := len(v)
	switch e.kind {
	case kindBinary:
		if _, err := hex.DecodeString(v); err != nil {
			return "", "is not whole bytes in hexadecimal"
		}
		v, n = strings.ToUpper(v), n/2
	case kindText:
		b, ok := latin1Bytes(v)
		if !ok {
			return "", "has characters that are not one byte each"
		}
		n = len(b)
	case kindNumber, kindSigned, kindTrack:
		if !e.madeOf([]byte(v)) {
			return "", "has characters that this kind of field cannot have"
		}
	}
	switch {
	case n > e.count:
		return "", "is longer than the profile allows"
	case e.digits > 0 || n == e.count:
		return v, ""
	case n == 0:
		return "", "is empty"
	case e.kind == kindNumber:
		return strings.Repeat("0", e.count-n) + v, ""
	case e.kind == kindText:
		return v + strings.Repeat(" ", e.count-n), ""
	}
	return "", "is shorter than the profile wants"
}

// digitsOnly reports whether s is made of digits, and not empty.
func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
