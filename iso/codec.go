package iso

import (
	"errors"
	"sync/atomic"
	"unicode/utf8"

	moov "github.com/moov-io/iso8583"
	moovencoding "github.com/moov-io/iso8583/encoding"
	moovfield "github.com/moov-io/iso8583/field"
)

// codec is what moov-io/iso8583 needs to know about the profile: one field specification for every
// element, and none of its own numeric, padded or composite ones, which lose leading zeros, reorder
// or panic. Its error texts quote values, so none of them leaves this file.
type codec struct {
	spec  *moov.MessageSpec
	blank []byte // a message without fields
	// Making an empty message that knows every field takes longer than reading or writing one, so
	// the last one is kept; who finds it taken makes another.
	spare atomic.Pointer[moov.Message]
}

// errCodec stands for whatever went wrong inside the package.
var errCodec = errors.New("codec refused the message")

// newCodec translates the profile's elements.
func newCodec(p *Profile) *codec {
	mti := element{kind: kindNumber, packing: p.enc.mti, count: 4, odd: oddNibble{left: true}}
	bitmap := moovfield.Spec{Length: 8, Enc: plainBytes{}, Pref: fixedLength{}}
	if p.enc.bitmap == packHex {
		bitmap.Enc = moovencoding.BytesToASCIIHex
	}
	zeroMTI, _ := wire{&mti}.Pack([]byte("0000"), nil) // zeros can be packed
	noFields, _ := bitmap.Enc.Encode(make([]byte, bitmap.Length))
	fields := map[int]moovfield.Field{
		partMTI: mti.spec(), partBitmap: moovfield.NewBitmap(&bitmap),
	}
	for n := range p.elements {
		if p.elements[n].kind != 0 {
			fields[n] = p.elements[n].spec()
		}
	}
	return &codec{
		spec: &moov.MessageSpec{Fields: fields}, blank: append(zeroMTI, noFields...),
	}
}

// spec is the element as the codec's field: always its text field, with the bytes made by us.
func (e *element) spec() moovfield.Field {
	return moovfield.NewString(&moovfield.Spec{Length: e.count, Packer: wire{e}, Unpacker: wire{e}})
}

// take gives a message to use; nobody else has it.
func (c *codec) take() *moov.Message {
	if msg := c.spare.Swap(nil); msg != nil {
		return msg
	}
	return moov.NewMessage(c.spec)
}

// give takes a message back, and takes out of it the fields that were set: it outlives the payment,
// and a track must not.
func (c *codec) give(msg *moov.Message, fields []int) {
	for _, n := range fields {
		if msg.GetField(n).SetBytes(nil) != nil {
			return
		}
	}
	c.spare.Store(msg)
}

// unpack reads packed, which carries exactly fields; values come back as Message documents them.
func (c *codec) unpack(packed []byte, fields []int) (m Message, err error) {
	defer func() {
		if recover() != nil {
			err = errCodec
		}
	}()
	msg := c.take()
	if msg.Unpack(packed) != nil {
		return Message{}, errCodec
	}
	if m.MTI, err = msg.GetMTI(); err != nil {
		return Message{}, errCodec
	}
	m.Fields = make(map[int]string, len(fields))
	for _, n := range fields {
		if m.Fields[n], err = msg.GetString(n); err != nil {
			return Message{}, errCodec
		}
	}
	c.give(msg, fields)
	return m, nil
}

// pack writes a message; values stand beside their numbers and have been through element.fit.
func (c *codec) pack(mti string, numbers []int, values []string) (b []byte, err error) {
	defer func() {
		if recover() != nil {
			b, err = nil, errCodec
		}
	}()
	msg := c.take()
	if msg.Unpack(c.blank) != nil { // which fields it had is all that it remembers
		return nil, errCodec
	}
	msg.MTI(mti)
	for i, n := range numbers {
		if msg.Field(n, values[i]) != nil {
			return nil, errCodec
		}
	}
	if b, err = msg.Pack(); err != nil {
		return nil, errCodec
	}
	c.give(msg, numbers)
	return b, nil
}

// appendHex appends b in upper-case hexadecimal.
func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// plainBytes is the bitmap as it is. The codec's own encoder copies the rest of the message.
type plainBytes struct{}

// Encode returns the bytes.
func (plainBytes) Encode(b []byte) ([]byte, error) { return b, nil }

// Decode returns the first n bytes.
func (plainBytes) Decode(b []byte, n int) ([]byte, int, error) {
	if n < 0 || n > len(b) {
		return nil, 0, errCodec
	}
	return b[:n], n, nil
}

// wire is how an element looks on the wire, length and value in one go, behind the codec's Packer
// and Unpacker. Its own encoders cannot put the odd half byte where we want it nor pack the D of
// track 2, and build a table for every packed field, which costs more than all the rest.
type wire struct{ e *element }

// Pack writes a value that has been through element.fit.
func (w wire) Pack(value []byte, _ *moovfield.Spec) ([]byte, error) {
	e, n := w.e, len(value)
	switch e.kind {
	case kindBinary:
		n /= 2
	case kindText:
		n = utf8.RuneCount(value)
	case kindNumber, kindSigned, kindTrack:
	}
	if n > e.count || e.digits == 0 && n != e.count {
		return nil, errCodec
	}
	out := make([]byte, 0, e.prefixLen()+e.wireLen(n))
	out, ok := e.appendWire(e.appendPrefix(out, n), value)
	if !ok {
		return nil, errCodec
	}
	return out, nil
}

// Unpack reads a value and says how many bytes it took.
func (w wire) Unpack(b []byte, _ *moovfield.Spec) (value []byte, read int, err error) {
	e, n := w.e, w.e.count
	head := e.prefixLen()
	if len(b) < head {
		return nil, 0, errCodec
	}
	if head > 0 {
		var ok bool
		if n, ok = e.prefix(b[:head]); !ok || n > e.count {
			return nil, 0, errCodec
		}
	}
	size := e.wireLen(n)
	if len(b)-head < size {
		return nil, 0, errCodec
	}
	value, ok := e.appendValue(make([]byte, 0, 2*size), b[head:head+size], n)
	if !ok {
		return nil, 0, errCodec
	}
	return value, head + size, nil
}

// fixedLength is the codec's Prefixer for what has no length in front: the bitmap.
type fixedLength struct{}

// EncodeLength writes nothing.
func (fixedLength) EncodeLength(int, int) ([]byte, error) { return nil, nil }

// DecodeLength reads nothing.
func (fixedLength) DecodeLength(size int, _ []byte) (n, read int, err error) { return size, 0, nil }

// Inspect names the prefixer for the codec's own exports, which we do not use.
func (fixedLength) Inspect() string { return "reversald" }
