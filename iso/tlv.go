package iso

import "errors"

// Chip data (field 55) is BER-TLV: tag, length, value, again and again. We look inside ourselves,
// because only single tags of it may be kept, and because codecs reorder them.

// tlv is one tag with its value, as it stands in the bytes.
type tlv struct {
	tag   []byte
	value []byte
	raw   []byte // tag, length and value
}

// errTLV is the problem with chip data that is not tags; the offset is in the reader.
var errTLV = errors.New("chip data is not whole tags")

// tlvDepthMax is how deep templates may hold one another; EMV has two.
const tlvDepthMax = 4

// sensitiveTags are tags that may not be kept or shown, and why. PCI DSS 3.3.1 forbids the track
// and PIN ones outright; the others identify the card or its holder, and belong in Card or
// nowhere.
var sensitiveTags = map[string]string{
	"56": "track 1", "57": "track 2", "5A": "card number", "99": "PIN", "5F20": "cardholder name",
	"5F24": "expiry", "5F50": "issuer address", "9F0B": "cardholder name", "9F1F": "track 1",
	"9F20": "track 2", "9F60": "CVC3", "9F61": "CVC3, or the cardholder's identity number",
	"9F62": "track 1", "9F6B": "track 2", "9F7C": "customer data",
}

// walkTLV calls each for every tag at the top of b until each returns false. It returns how far it
// came, which is len(b) when all was well. Zero bytes between tags are padding (EMV book 3, B).
func walkTLV(b []byte, each func(t tlv) bool) (int, error) {
	for at := 0; at < len(b); {
		if b[at] == 0 {
			at++
			continue
		}
		head, ok := parseTag(b[at:])
		if !ok {
			return at, errTLV
		}
		size, lenLen, ok := parseTLVLength(b[at+head:])
		start := at + head + lenLen
		if !ok || size > len(b)-start {
			return at, errTLV
		}
		t := tlv{tag: b[at : at+head], value: b[start : start+size], raw: b[at : start+size]}
		if !each(t) {
			return at, nil
		}
		at = start + size
	}
	return len(b), nil
}

// parseTag is how many bytes the tag at the start of b has: one, or up to four when the low five
// bits of the first are all set and the high bit of each that follows says "more".
func parseTag(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, false
	}
	if b[0]&0x1F != 0x1F {
		return 1, true
	}
	for i := 1; i < len(b) && i < 4; i++ {
		if b[i]&0x80 == 0 {
			return i + 1, true
		}
	}
	return 0, false
}

// parseTLVLength is the length at the start of b: one byte up to 127, else a count of bytes and
// then those. Field 55 has at most 9999 bytes, so two are plenty.
func parseTLVLength(b []byte) (size, read int, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), 1, true
	case len(b) >= 2 && b[0] == 0x81:
		return int(b[1]), 2, true
	case len(b) >= 3 && b[0] == 0x82:
		return int(b[1])<<8 | int(b[2]), 3, true
	}
	return 0, 0, false
}

// isTemplate reports whether a tag holds other tags.
func isTemplate(tag []byte) bool { return len(tag) > 0 && tag[0]&0x20 != 0 }

// tagName is a tag in upper-case hexadecimal.
func tagName(tag []byte) string { return string(appendHex(nil, tag)) }

// subsetTLV appends the wanted tags of b, in the order they have there.
func subsetTLV(dst, b []byte, wanted []string) ([]byte, int, error) {
	at, err := walkTLV(b, func(t tlv) bool {
		for _, name := range wanted {
			if tagIs(t.tag, name) {
				dst = append(dst, t.raw...)
				break
			}
		}
		return true
	})
	return dst, at, err
}

// findTLV is the value of the first tag of that name, templates included.
func findTLV(b []byte, name string, depth int) []byte {
	var found []byte
	_, _ = walkTLV(b, func(t tlv) bool {
		switch {
		case tagIs(t.tag, name):
			found = t.value
		case isTemplate(t.tag) && depth < tlvDepthMax:
			found = findTLV(t.value, name, depth+1)
		}
		return found == nil
	})
	return found
}

// wholeTLV reports whether b is tags to its end, and every template in it too.
func wholeTLV(b []byte, depth int) bool {
	whole := true
	_, err := walkTLV(b, func(t tlv) bool {
		whole = !isTemplate(t.tag) || depth >= tlvDepthMax || wholeTLV(t.value, depth+1)
		return whole
	})
	return whole && err == nil
}

// tagIs compares a tag with its name in upper-case hexadecimal.
func tagIs(tag []byte, name string) bool {
	if len(name) != 2*len(tag) {
		return false
	}
	for i, c := range tag {
		if name[2*i] != hexDigits[c>>4] || name[2*i+1] != hexDigits[c&15] {
			return false
		}
	}
	return true
}
