package iso

import (
	"encoding/hex"
	"errors"

	moov "github.com/moov-io/iso8583"
	moovencoding "github.com/moov-io/iso8583/encoding"
	moovfield "github.com/moov-io/iso8583/field"
)

// codec is what moov-io/iso8583 needs to know about the profile: one field specification for every
// element, and none of its own numeric, padded or composite ones, which lose leading zeros, reorder
// or panic. Its error texts quote values, so none of them leaves this file.
type codec struct {
	mti    moovfield.Field
	bitmap moovfield.Field
	fields [fieldMax + 1]moovfield.Field
}

// errCodec stands for whatever went wrong inside the package.
var errCodec = errors.New("codec refused the message")

// newCodec translates the profile's elements.
func newCodec(p *Profile) *codec {
	c := &codec{}
	mti := element{kind: kindNumber, packing: p.enc.mti, count: 4, odd: oddNibble{left: true}}
	c.mti = mti.spec()
	var bitmap moovencoding.Encoder = plainBytes{}
	if p.enc.bitmap == packHex {
		bitmap = moovencoding.BytesToASCIIHex
	}
	c.bitmap = moovfield.NewBitmap(&moovfield.Spec{Length: 8, Enc: bitmap, Pref: lengthOf{&mti}})
	for n := range p.elements {
		if p.elements[n].kind != 0 {
			c.fields[n] = p.elements[n].spec()
		}
	}
	return c
}

// spec is the element as the codec's field.
func (e *element) spec() moovfield.Field {
	spec := &moovfield.Spec{Length: e.count, Enc: plainBytes{}, Pref: lengthOf{e}}
	switch {
	case e.packing == packBCD:
		spec.Enc = nibbles{e}
	case e.packing == packHex:
		spec.Enc = moovencoding.BytesToASCIIHex
	}
	if e.kind == kindBinary {
		return moovfield.NewBinary(spec)
	}
	return moovfield.NewString(spec)
}

// message makes an empty message that knows exactly the given fields: making all 128 for a message
// of fifteen would be most of the work.
func (c *codec) message(fields []int) *moov.Message {
	spec := &moov.MessageSpec{Fields: make(map[int]moovfield.Field, len(fields)+2)}
	spec.Fields[partMTI], spec.Fields[partBitmap] = c.mti, c.bitmap
	for _, n := range fields {
		spec.Fields[n] = c.fields[n]
	}
	return moov.NewMessage(spec)
}

// unpack reads packed, which carries exactly fields; values come back as Message documents them.
// The second result is how long the message is when it is packed again.
func (c *codec) unpack(p *Profile, packed []byte, fields []int) (m Message, again int, err error) {
	defer func() {
		if recover() != nil {
			err = errCodec
		}
	}()
	msg := c.message(fields)
	if msg.Unpack(packed) != nil {
		return Message{}, 0, errCodec
	}
	if m.MTI, err = msg.GetMTI(); err != nil {
		return Message{}, 0, errCodec
	}
	m.Fields = make(map[int]string, len(fields))
	for _, n := range fields {
		b, err := msg.GetBytes(n)
		if err != nil {
			return Message{}, 0, errCodec
		}
		switch p.elements[n].kind {
		case kindBinary:
			m.Fields[n] = string(appendHex(nil, b))
		case kindText:
			m.Fields[n] = string(appendLatin1(nil, b))
		case kindNumber, kindSigned, kindTrack:
			m.Fields[n] = string(b)
		}
	}
	repacked, err := msg.Pack()
	if err != nil {
		return Message{}, 0, errCodec
	}
	return m, len(repacked), nil
}

// pack writes a message; the values have been through element.fit.
func (c *codec) pack(
	p *Profile, mti string, numbers []int, values map[int]string,
) (b []byte, err error) {
	defer func() {
		if recover() != nil {
			b, err = nil, errCodec
		}
	}()
	msg := c.message(numbers)
	msg.MTI(mti)
	for _, n := range numbers {
		raw := []byte(values[n])
		switch p.elements[n].kind {
		case kindBinary:
			raw, err = hex.DecodeString(values[n])
		case kindText:
			raw, _ = latin1Bytes(values[n])
		case kindNumber, kindSigned, kindTrack:
		}
		if err != nil || msg.BinaryField(n, raw) != nil {
			return nil, errCodec
		}
	}
	if b, err = msg.Pack(); err != nil {
		return nil, errCodec
	}
	return b, nil
}

// appendHex appends b in upper-case hexadecimal.
func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// plainBytes is bytes as they are. The codec's own ASCII encoder refuses the GBK in fields 43 and
// 44, and its binary one copies the rest of the message for every field.
type plainBytes struct{}

// Encode returns the bytes.
func (plainBytes) Encode(b []byte) ([]byte, error) { return b, nil }

// Decode returns the first n bytes.
func (plainBytes) Decode(b []byte, n int) ([]byte, int, error) {
	if n < 0 || n > len(b) {
		return nil, 0, errCodec
	}
	return append([]byte(nil), b[:n]...), n, nil
}

// nibbles is packed digits with our choice of where the odd half byte is, and with the D of track
// 2. The codec's own cannot do either, and builds a table for every field.
type nibbles struct{ e *element }

// Encode packs digits '0' to '?' (and D).
func (nb nibbles) Encode(src []byte) ([]byte, error) {
	var out []byte
	if nb.e.kind == kindSigned && len(src) > 0 {
		out, src = append(out, src[0]), src[1:]
	}
	half, odd := len(src)%2 == 1 && nb.e.odd.left, byte(0)
	for _, c := range src {
		if c == 'D' || c == 'd' {
			c = '='
		}
		if c < '0' || c > '?' {
			return nil, errCodec
		}
		digit := c - '0'
		if half {
			out = append(out, odd<<4|digit)
		}
		odd, half = digit, !half
	}
	if half {
		out = append(out, odd<<4|nb.e.odd.fill)
	}
	return out, nil
}

// Decode unpacks n digits.
func (nb nibbles) Decode(src []byte, n int) ([]byte, int, error) {
	if n < 0 || nb.e.wireLen(n) > len(src) {
		return nil, 0, errCodec
	}
	size := nb.e.wireLen(n)
	v, ok := nb.e.appendValue(nil, src[:size], n)
	if !ok {
		return nil, 0, errCodec
	}
	return v, size, nil
}

// lengthOf writes and reads the length in front of a variable field, and nothing for a fixed one.
type lengthOf struct{ e *element }

// EncodeLength writes how many units follow.
func (l lengthOf) EncodeLength(most, n int) ([]byte, error) {
	if n > most || l.e.digits == 0 && n != most {
		return nil, errCodec
	}
	return l.e.appendPrefix(nil, n), nil
}

// DecodeLength reads how many units follow.
func (l lengthOf) DecodeLength(most int, b []byte) (n, read int, err error) {
	read = l.e.prefixLen()
	if read == 0 {
		return most, 0, nil
	}
	if len(b) < read {
		return 0, 0, errCodec
	}
	n, ok := l.e.prefix(b[:read])
	if !ok || n > most {
		return 0, 0, errCodec
	}
	return n, read, nil
}

// Inspect names the prefixer for the codec's own exports, which we do not use.
func (l lengthOf) Inspect() string { return "reversald" }
