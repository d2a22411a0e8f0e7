package iso_test

import (
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

// The codec's own encoders are an independent witness for everything they can do: they write the
// same bytes as ours, for both built-in profiles. (They put the odd half byte in front of
// variable fields too, and have no D, so those are left out.)
func TestStockEncodersAgree(t *testing.T) {
	fields := map[int]string{
		2: "4111111111111111", 3: "000000", 4: "000000001234", 7: "0102030405", 11: "000123", 22: "021",
		32: "1234", 37: "000000000042", 41: "TERM0001", 43: "CORNER SHOP" + strings.Repeat(" ", 29),
		44: "text", 48: strings.Repeat("x", 123), 49: "840", 90: strings.Repeat("0123456", 6),
	}
	for name, stock := range map[string]struct {
		digits  encoding.Encoder
		lengths prefix.Prefixers
		bitmap  *field.Spec
	}{
		"iso87-ascii": {
			encoding.ASCII, prefix.ASCII,
			&field.Spec{Length: 8, Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed},
		},
		"iso87-bcd": {
			encoding.BCD, prefix.BCD,
			&field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed},
		},
	} {
		number := func(size int, length prefix.Prefixer) field.Field {
			return field.NewString(&field.Spec{Length: size, Enc: stock.digits, Pref: length})
		}
		text := func(size int, length prefix.Prefixer) field.Field {
			return field.NewString(&field.Spec{Length: size, Enc: encoding.ASCII, Pref: length})
		}
		fixed := stock.lengths.Fixed
		msg := moov.NewMessage(&moov.MessageSpec{Fields: map[int]field.Field{
			0: number(4, fixed), 1: field.NewBitmap(stock.bitmap),
			2: number(19, stock.lengths.LL), 3: number(6, fixed), 4: number(12, fixed),
			7: number(10, fixed), 11: number(6, fixed), 22: number(3, fixed),
			32: number(11, stock.lengths.LL), 37: text(12, fixed), 41: text(8, fixed), 43: text(40, fixed),
			44: text(25, stock.lengths.LL), 48: text(999, stock.lengths.LLL), 49: text(3, fixed),
			90: number(42, fixed),
		}})
		msg.MTI("0200")
		for n, v := range fields {
			if err := msg.Field(n, v); err != nil {
				t.Fatal(err)
			}
		}
		want, err := msg.Pack()
		if err != nil {
			t.Fatal(err)
		}
		p := builtin(t, name)
		got := compose(t, p, "0200", fields)
		if header := len(got) - len(want); header < 0 || string(got[header:]) != string(want) {
			t.Errorf("%s:\ngot  %X\nwant %X", name, got, want)
		}
	}
}
