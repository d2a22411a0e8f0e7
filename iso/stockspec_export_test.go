package iso

import (
	moov "github.com/moov-io/iso8583"
	moovencoding "github.com/moov-io/iso8583/encoding"
	moovfield "github.com/moov-io/iso8583/field"
	moovprefix "github.com/moov-io/iso8583/prefix"
)

// StockSpec is the given fields of a profile as one describes them to the codec with nothing of
// ours in it.
func StockSpec(p *Profile, fields []int) *moov.MessageSpec {
	mti := element{kind: kindNumber, packing: p.enc.mti, count: 4}
	bitmap := &moovfield.Spec{Length: 8, Enc: moovencoding.Binary, Pref: moovprefix.Binary.Fixed}
	if p.enc.bitmap == packHex {
		bitmap.Enc, bitmap.Pref = moovencoding.BytesToASCIIHex, moovprefix.Hex.Fixed
	}
	spec := &moov.MessageSpec{Fields: map[int]moovfield.Field{
		partMTI: mti.stock(), partBitmap: moovfield.NewBitmap(bitmap),
	}}
	for _, n := range fields {
		spec.Fields[n] = p.elements[n].stock()
	}
	return spec
}

// stock is the element with the codec's own encoder and length.
func (e *element) stock() moovfield.Field {
	spec := &moovfield.Spec{Length: e.count, Enc: moovencoding.ASCII}
	lengths := moovprefix.ASCII
	switch e.length {
	case lengthBCD, lengthTwoBCD:
		lengths = moovprefix.BCD
	case lengthBinary:
		lengths = moovprefix.Binary
	case lengthChars:
	}
	spec.Pref = []moovprefix.Prefixer{
		lengths.Fixed, nil, lengths.LL, lengths.LLL, lengths.LLLL,
	}[e.digits]
	switch e.packing {
	case packBCD:
		spec.Enc = moovencoding.BCD
	case packHex:
		spec.Enc = moovencoding.BytesToASCIIHex
	case packRaw:
		spec.Enc = moovencoding.Binary
	case packChars:
	}
	if e.kind == kindBinary {
		return moovfield.NewBinary(spec)
	}
	return moovfield.NewString(spec)
}
