package iso

import (
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
		return appendHex(dst, wire), true
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

// appendWire appends the value v, which has been through fit, as it stands on the wire; the
// reverse of appendValue.
func (e *element) appendWire(dst, v []byte) ([]byte, bool) {
	switch e.packing {
	case packChars:
		if e.kind == kindText {
			return appendLatin1Bytes(dst, v)
		}
		return append(dst, v...), true
	case packHex:
		return append(dst, v...), true
	case packBCD:
		if e.kind == kindSigned && len(v) > 0 {
			dst, v = append(dst, v[0]), v[1:]
		}
		return e.packNibbles(dst, v)
	case packRaw:
		return appendUnhex(dst, v)
	}
	return dst, false
}

// packNibbles appends digits '0' to '?', and D for '=', two to a byte.
func (e *element) packNibbles(dst, digits []byte) ([]byte, bool) {
	half, high := len(digits)%2 == 1 && e.odd.left, byte(0)
	for _, c := range digits {
		if c == 'D' || c == 'd' {
			c = '='
		}
		if c < '0' || c > '?' {
			return dst, false
		}
		if half {
			dst = append(dst, high<<4|(c-'0'))
		}
		high, half = c-'0', !half
	}
	if half {
		dst = append(dst, high<<4|e.odd.fill)
	}
	return dst, true
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

// appendLatin1Bytes is the reverse of appendLatin1; false when a character is not one byte.
func appendLatin1Bytes(dst, text []byte) ([]byte, bool) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r > 0xFF {
			return dst, false
		}
		dst, text = append(dst, byte(r)), text[size:]
	}
	return dst, true
}

// latin1Len is how many bytes appendLatin1Bytes would append.
func latin1Len(s string) (n int, ok bool) {
	for _, r := range s {
		if r > 0xFF {
			return 0, false
		}
		n++
	}
	return n, true
}

// appendUnhex appends bytes that are written in hexadecimal.
func appendUnhex(dst, digits []byte) ([]byte, bool) {
	if len(digits)%2 == 1 {
		return dst, false
	}
	for i := 0; i < len(digits); i += 2 {
		high, okHigh := hexValue(digits[i])
		low, okLow := hexValue(digits[i+1])
		if !okHigh || !okLow {
			return dst, false
		}
		dst = append(dst, high<<4|low)
	}
	return dst, true
}

// fit makes a value ready for the wire: fixed numbers filled with zeros on the left, fixed text
// with spaces on the right, binary in upper case. The second result says what is wrong, "" if
// nothing.
func (e *element) fit(v string) (string, string) {
	n := len(v)
	switch e.kind {
	case kindBinary:
		if len(v)%2 == 1 || !hexOnly(v) {
			return "", "is not whole bytes in hexadecimal"
		}
		v, n = strings.ToUpper(v), n/2
	case kindText:
		var ok bool
		if n, ok = latin1Len(v); !ok {
			return "", "has characters that are not one byte each"
		}
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

// hexOnly reports whether s is made of hexadecimal digits.
func hexOnly(s string) bool {
	for i := range len(s) {
		if _, ok := hexValue(s[i]); !ok {
			return false
		}
	}
	return true
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
