package badge

import (
	"hash/crc32"
	"strings"
)

// alphabet is Crockford's base 32: no I, L, O or U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// groupChars is how many characters stand together.
const groupChars = 5

// checkBytes of check sum follow the content.
const checkBytes = 3

// typable is bytes as text that people can type: base 32 in groups, a check sum at the end. Bound
// goes into the check sum, so that what belongs elsewhere does not fit.
func typable(content []byte, bound string) string {
	b := append(append([]byte{}, content...), checkOf(content, bound)...)
	var out strings.Builder
	count, bits, have := 0, uint32(0), 0
	put := func() {
		if count > 0 && count%groupChars == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(alphabet[bits>>(have-5)&31])
		count++
		have -= 5
	}
	for _, c := range b {
		bits = bits<<8 | uint32(c)
		for have += 8; have >= 5; {
			put()
		}
	}
	if have > 0 {
		bits <<= 5 - have
		have = 5
		put()
	}
	return out.String()
}

// typed reads what typable wrote and a person copied: small letters, dashes anywhere, O for 0.
func typed(text, bound string) ([]byte, error) {
	var b []byte
	bits, have := uint32(0), 0
	for _, r := range strings.ToUpper(text) {
		switch r {
		case '-', ' ':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		digit := strings.IndexRune(alphabet, r)
		if digit < 0 {
			return nil, ErrNotTyped
		}
		bits = bits<<5 | uint32(digit)
		if have += 5; have >= 8 {
			have -= 8
			b = append(b, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	if bits != 0 || have >= 5 || len(b) < checkBytes {
		return nil, ErrNotTyped
	}
	content := b[:len(b)-checkBytes]
	if string(checkOf(content, bound)) != string(b[len(content):]) {
		return nil, ErrNotTyped
	}
	return content, nil
}

func checkOf(content []byte, bound string) []byte {
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(bound)), crc32.IEEETable, content)
	return []byte{byte(sum >> 16), byte(sum >> 8), byte(sum)}
}
