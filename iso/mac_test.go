package iso_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"reversald/iso"
)

// What the code is made over stands in the vectors, element by element: everything from the message
// type to the byte before the code, and the repeat bit of AS 2805 taken for zero.
func TestCoverIsWhatTheVectorsSay(t *testing.T) {
	for name, size := range map[string]int{
		"unionpay_sale": 8, "unionpay_reversal": 8, "unionpay_reversal_answer": 8, "as2805_sale": 8,
		"as2805_reversal": 8, "as2805_repeat": 8, "as2805_reversal_answer": 8,
	} {
		v := vectorNamed(t, name)
		m := builtin(t, v.profile).MAC()
		want := bytes.Clone(v.body[len(v.header) : len(v.body)-size])
		if v.mti == "0421" {
			want[1] = 0x20
		}
		got, err := m.Cover(v.body)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\ngot  %X\nwant %X", name, err, got, want)
		}
		code, ok := m.Of(v.body)
		if !ok || !bytes.Equal(code, v.body[len(v.body)-size:]) {
			t.Errorf("%s carries %X", name, code)
		}
		placed, err := m.Place(v.body, []byte("8F651B26 and more"))
		if err != nil || !bytes.HasSuffix(placed, []byte("8F651B26")) ||
			!bytes.Equal(placed[:len(placed)-size], v.body[:len(v.body)-size]) {
			t.Errorf("%s placed: %v\n%X", name, err, placed)
		}
		if got, _ := m.Cover(placed); !bytes.Equal(got, want) {
			t.Errorf("%s: the code covers itself", name)
		}
		if _, err := m.Place(v.body, []byte("short")); err == nil {
			t.Errorf("%s: half a code was placed", name)
		}
	}
	// The two sendings of AS 2805 have one code.
	m := builtin(t, "as2805").MAC()
	first, _ := m.Cover(vectorNamed(t, "as2805_reversal").body)
	again, _ := m.Cover(vectorNamed(t, "as2805_repeat").body)
	if !bytes.Equal(first, again) {
		t.Error("the repeat has another code")
	}
}

func TestNoMAC(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	m := p.MAC()
	body := compose(t, p, "0200", sale())
	if !m.None() || m.Algorithm() != "none" || m.Sends(iso.ClassReversal) || m.Needs(iso.Glance{Class: iso.ClassPaymentAnswer, Code: "00"}) {
		t.Error("a profile without mac has one")
	}
	if _, err := m.Cover(body); err == nil {
		t.Error("covered")
	}
	if _, ok := m.Of(body); ok {
		t.Error("found")
	}
	p = builtin(t, "unionpay")
	if _, ok := p.MAC().Of(compose(t, p, "0210", map[int]string{11: "1", 39: "00", 41: "T"})); ok {
		t.Error("a code was found in an answer without one")
	}
	if _, ok := p.MAC().Of([]byte("noise")); ok {
		t.Error("a code was found in noise")
	}
}

// Reversal rules 5: LY checks the code only when DE 39 is 00; a declined answer may carry none.
func TestWhichAnswersNeedAMAC(t *testing.T) {
	for _, test := range []struct {
		mac, class, code string
		want             bool
	}{
		{"answers: approved", "payment", "00", true},
		{"answers: approved", "payment", "11", true},
		{"answers: approved", "payment", "51", false},
		{"answers: approved", "payment", "", false},
		{"answers: approved", "reversal", "00", true},
		{"answers: approved", "reversal", "25", false},
		{"answers: approved", "other", "00", false},
		{"answers: all", "payment", "51", true},
		{"answers: all", "other", "00", false},
		{"answers: none", "payment", "00", false},
		{"answers: ['00', '25']", "reversal", "25", true},
		{"answers: ['00', '25']", "reversal", "12", false},
	} {
		p, err := iso.Parse([]byte("name: n\nextends: unionpay\nmac: {"+test.mac+"}\n"), "n")
		if err != nil {
			t.Fatal(err)
		}
		class := map[string]iso.Class{"payment": iso.ClassPaymentAnswer, "reversal": iso.ClassReversalAnswer, "other": iso.ClassOtherAnswer}[test.class]
		if got := p.MAC().Needs(iso.Glance{Class: class, Code: test.code}); got != test.want {
			t.Errorf("%s: %s answered %q: %v", test.mac, test.class, test.code, got)
		}
		if p.MAC().Needs(iso.Glance{Class: class.Answer(), Code: test.code}) {
			t.Error("a question needs what answers need")
		}
	}
}

// Coverage by field, with the header, and over printable messages; a code of four bytes.
func TestOtherCoverage(t *testing.T) {
	parse := func(text string) *iso.Profile {
		t.Helper()
		p, err := iso.Parse([]byte("name: n\n"+text), "n")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	fields := map[int]string{3: "0", 4: "1234", 11: "000123", 39: "00", 41: "TERM0001", 64: "0102030405060708"}
	for _, test := range []struct{ text, mti, want string }{
		{
			"extends: iso87-bcd\nmac: {algorithm: x9.9, field: 64, on: [reversal], cover: [mti, bitmap, 41, 4, 11, 2]}\nreversal: {link: none}\n",
			"0400", "0400" + "3020000002800001" + hex.EncodeToString([]byte("TERM0001")) + "000000001234" + "000123",
		},
		{
			"extends: iso87-bcd\nmac: {algorithm: x9.9, field: 64, on: [reversal], cover: [4, 11], repeat_bit: excluded}\nreversal: {link: none}\n",
			"0401", "000000001234" + "000123",
		},
		{
			"extends: iso87-bcd\nmac: {algorithm: aes-cmac, field: last, on: [reversal], cover: all, repeat_bit: excluded, bytes: 4}\n",
			"0401", "6000030000" + "0400" + "3020000002800001" + "000000" + "000000001234" + "000123" + "3030" + hex.EncodeToString([]byte("TERM0001")),
		},
	} {
		p := parse(test.text)
		body := compose(t, p, test.mti, fields)
		got, err := p.MAC().Cover(body)
		if err != nil || hex.EncodeToString(got) != test.want {
			t.Errorf("%v\ngot  %x\nwant %s", err, got, test.want)
		}
	}
	p := parse("extends: iso87-ascii\nmac: {algorithm: x9.19, field: last, on: [payment, reversal], bytes: 4, repeat_bit: excluded}\n")
	body := compose(t, p, "0401", fields)
	got, err := p.MAC().Cover(body)
	if err != nil || string(got) != "04003020000002800001"+"000000"+"000000001234"+"000123"+"00"+"TERM0001" {
		t.Errorf("%v %q", err, got)
	}
	placed, err := p.MAC().Place(body, []byte{0xDE, 0xAD, 0xBE, 0xEF, 9, 9, 9, 9})
	if err != nil || !bytes.HasSuffix(placed, []byte("DEADBEEF00000000")) {
		t.Errorf("%v %q", err, placed)
	}
	if code, ok := p.MAC().Of(placed); !ok || string(code) != "\xDE\xAD\xBE\xEF" {
		t.Errorf("code %X", code)
	}
	// A reversal with a link above 64 has its code in 128.
	r, err := p.Reversal(original(t, p, compose(t, p, "0200", sale())), nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
	if err != nil || !bytes.HasSuffix(r, []byte("0000000000000000")) {
		t.Fatalf("%v %q", err, r)
	}
	if m, err := p.Decode(r); err != nil || m.Fields[128] != "0000000000000000" || m.Fields[64] != "" {
		t.Errorf("%v", err)
	}
}

// An approval given from file needs a code like the host's; a refusal of ours does not.
func TestRoomForAMACInAnswersFromFile(t *testing.T) {
	p := builtin(t, "unionpay")
	question := vectorNamed(t, "unionpay_sale").body
	for code, want := range map[string]string{"00": "0000000000000000", "91": ""} {
		body, err := p.AnswerFrom(question, iso.Kept{Code: code})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := p.Decode(body); err != nil || m.Fields[64] != want {
			t.Errorf("answer %s has the code %q (%v)", code, m.Fields[64], err)
		}
	}
}
