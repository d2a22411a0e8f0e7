package iso_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/iso"
)

func vectorNamed(t testing.TB, name string) vector {
	t.Helper()
	return readVector(t, filepath.Join("testdata/messages", name+".txt"))
}

// Every reversal that stands in a vector is what we make of the vector of its payment, byte by byte.
func TestReversalsAreTheVectors(t *testing.T) {
	for _, test := range []struct {
		payment, reversal string
		attempt           iso.Attempt
	}{
		{"unionpay_sale", "unionpay_reversal", iso.Attempt{N: 1, Reason: iso.ReasonTimeout}},
		{"unionpay_sale", "unionpay_reversal", iso.Attempt{N: 7, Reason: iso.ReasonPowerCut}},
		{"iso93_sale", "iso93_reversal", iso.Attempt{N: 1, Reason: iso.ReasonTimeout, STAN: "000777"}},
		{"as2805_sale", "as2805_reversal", iso.Attempt{N: 1, Reason: iso.ReasonTimeout}},
		{"as2805_sale", "as2805_repeat", iso.Attempt{N: 2, Reason: iso.ReasonBadAnswer}},
	} {
		v := vectorNamed(t, test.payment)
		p := builtin(t, v.profile)
		body, err := p.Reversal(original(t, p, v.body), nil, test.attempt)
		if err != nil {
			t.Fatal(err)
		}
		if want := vectorNamed(t, test.reversal).body; string(body) != string(want) {
			t.Errorf("%s, sending %d:\ngot  %X\nwant %X", test.reversal, test.attempt.N, body, want)
		}
		if back := glance(t, p, body); back.OriginalKey != glance(t, p, v.body).Key {
			t.Errorf("%s leads to %q", test.reversal, back.OriginalKey)
		}
	}
}

// Reversal rules 1.2: which of UnionPay's messages are taken back, by type, processing code and
// DE 60.1.
func TestWhatUnionPayReverses(t *testing.T) {
	p := builtin(t, "unionpay")
	for _, test := range []struct {
		what, mti, processing, kind string
		want                        bool
	}{
		{"balance inquiry", "0200", "310000", "01", false},
		{"pre-authorization", "0100", "030000", "10", true},
		{"void of a pre-authorization", "0100", "200000", "11", true},
		{"completion request", "0200", "000000", "20", true},
		{"void of a completion", "0200", "200000", "21", true},
		{"sale", "0200", "000000", "22", true},
		{"void of a sale", "0200", "200000", "23", true},
		{"completion advice", "0220", "000000", "24", false},
		{"refund", "0220", "200000", "25", false},
		{"offline settlement", "0220", "000000", "30", false},
		{"adjustment", "0220", "000000", "32", false},
		{"tip", "0220", "000000", "34", false},
		{"offline sale, as a request", "0200", "000000", "36", false},
		{"electronic cash load", "0200", "600000", "45", true},
		{"instalment", "0200", "000000", "22", true},
		{"a kind nobody knows", "0200", "000000", "99", true},
		{"no processing code", "0200", "", "22", true},
		{"no kind", "0200", "000000", "", true},
	} {
		fields := map[int]string{4: "1234", 11: "000123", 41: "TERM0001"}
		if test.processing != "" {
			fields[3] = test.processing
		}
		if test.kind != "" {
			fields[60] = test.kind + "000001000"
		}
		g := glance(t, p, compose(t, p, test.mti, fields))
		if g.Class != iso.ClassPayment || g.Reversible != test.want {
			t.Errorf("%s: %v, reversible %v", test.what, g.Class, g.Reversible)
		}
	}
}

// Reversal rules 3.1, row by row: what the reversal of each kind of payment carries.
func TestFieldsOfUnionPayReversals(t *testing.T) {
	p := builtin(t, "unionpay")
	everything := map[int]string{
		2: "6222021234567890128", 3: "000000", 4: "1234", 11: "000123", 12: "110405", 13: "0102", 14: "2912",
		22: "051", 23: "001", 25: "00", 26: "06", 35: "6222021234567890128=29122010000012345",
		36: "996222021234567890128=0000", 37: "000000000041", 38: "OLDAUT", 41: "TERM0001",
		42: "MERCHANT0000001", 44: "x", 48: "1", 49: "156", 52: "0123456789ABCDEF", 53: "2600000000000000",
		55: chipSale()[55], 59: "x", 60: "22000001000500", 62: "x", 63: "CUP", 64: "4131423243334434",
	}
	carried := func(fields map[int]string, k *iso.Kept) string {
		t.Helper()
		m := reversal(t, p, original(t, p, compose(t, p, "0200", fields)), k,
			iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
		var numbers []int
		for n := range m.Fields {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		return fmt.Sprint(numbers)
	}
	if got, want := carried(everything, nil), "[2 3 4 11 14 22 23 25 39 41 42 49 55 60 64]"; got != want {
		t.Errorf("sale:\ngot  %s\nwant %s", got, want)
	}
	kept := iso.Kept{Code: "00", RRN: "000000000042", Auth: "A1B2C3"}
	if got, want := carried(everything, &kept), "[2 3 4 11 14 22 23 25 38 39 41 42 49 55 60 64]"; got != want {
		t.Errorf("after an approval with 38:\ngot  %s\nwant %s", got, want)
	}
	void := map[int]string{
		2: "6222021234567890128", 3: "200000", 4: "1234", 11: "000124", 22: "012", 25: "00", 37: "000000000042",
		38: "A1B2C3", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156", 60: "23000001000", 61: "0000010001230102",
	}
	if got, want := carried(void, nil), "[2 3 4 11 22 25 39 41 42 49 60 61 64]"; got != want {
		t.Errorf("void:\ngot  %s\nwant %s", got, want)
	}
	m := reversal(t, p, original(t, p, compose(t, p, "0200", everything)), nil, iso.Attempt{N: 2, Reason: iso.ReasonTimeout})
	if m.MTI != "0400" || m.Fields[11] != "000123" || m.Fields[64] != "0000000000000000" {
		t.Errorf("the repeat is %s with %s", m.MTI, m.Fields[11])
	}
	if m.Fields[55] != "95050000008000"+"9F100807010103A0000001"+"9F36020001"+"DF310101" {
		t.Errorf("chip data %s", m.Fields[55])
	}
}

// Failure catalogue 8: a sign-on between the payment and its reversal opens another batch; 60.2
// stays that of the payment. 60.3 is 000 whatever it was.
func TestTheBatchOfTheOriginalStays(t *testing.T) {
	p := builtin(t, "unionpay")
	for was, want := range map[string]string{
		"22000001000500": "22000001000500", "22000007361600": "22000007000600", "10123456000": "10123456000",
		"22000001": "22000001000",
	} {
		body := compose(t, p, "0200", map[int]string{4: "1", 11: "1", 41: "T", 60: was})
		m := reversal(t, p, original(t, p, body), nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
		if m.Fields[60] != want {
			t.Errorf("60 of the reversal of %s is %s, want %s", was, m.Fields[60], want)
		}
	}
}

// Reversal rules 1.1 and 3.1 (DE 39), 2.5 (DE 25 of 1993): why, in the words of each host.
func TestReasons(t *testing.T) {
	for name, want := range map[string]map[iso.Reason]string{
		"unionpay": {
			iso.ReasonTimeout: "98", iso.ReasonLinkLost: "98", iso.ReasonPowerCut: "98",
			iso.ReasonMACWrong: "A0", iso.ReasonNotStored: "96", iso.ReasonBadAnswer: "06",
			iso.ReasonCancelled: "06", iso.ReasonAppGone: "96", iso.ReasonAmbiguous: "98",
		},
		"iso93": {
			iso.ReasonTimeout: "4021", iso.ReasonLinkLost: "4021", iso.ReasonPowerCut: "4007",
			iso.ReasonMACWrong: "4020", iso.ReasonNotStored: "4002", iso.ReasonBadAnswer: "4020",
			iso.ReasonCancelled: "4000", iso.ReasonAppGone: "4013", iso.ReasonAmbiguous: "4021",
		},
		"as2805": {iso.ReasonTimeout: "", iso.ReasonCancelled: ""},
	} {
		p := builtin(t, name)
		o := original(t, p, composeIn(t, p, "0200", chipSale()))
		for reason, code := range want {
			m := reversal(t, p, o, nil, attempt(p, 1, reason))
			if got := m.Fields[39] + m.Fields[25]; got != code && got != code+"00" { // 25 00 is copied
				t.Errorf("%s: %v is %q, want %q", name, reason, got, code)
			}
		}
	}
}

// Reversal rules 2.3 and 8.1: what each code means, dialect by dialect.
func TestCodesOfTheDialects(t *testing.T) {
	for name, lists := range map[string]map[string]string{
		"unionpay": {
			"approved": "00 10 11 A2 A4 A5 A6", "declined": "01 05 51 54 55 91 96 98 94 25 ZZ", "ambiguous": "68",
			"provisional": "09", "done": "00 12 25", "retry": "68 90 91 92 96 98", "sign_on": "77 99 A0",
			"stuck": "03 30 58 97 40 94 21 06 ZZ",
		},
		"iso93": {
			"approved": "000 001 002 003 007", "declined": "100 116 117 400 907 904", "ambiguous": "911",
			"provisional": "923", "done": "400 480 481 482", "retry": "906 907 909 911", "sign_on": "916 917",
			"stuck": "904 902 913 000 100",
		},
		"as2805": {
			"approved": "00 08 11", "declined": "51 98", "ambiguous": "68", "done": "00 12 25",
			"retry": "91 96", "sign_on": "98 A0", "stuck": "30 94",
		},
	} {
		p := builtin(t, name)
		for list, codes := range lists {
			for _, code := range strings.Fields(codes) {
				outcome, verdict := p.Outcome(code).String(), p.Verdict(code).String()
				if outcome != list && verdict != list {
					t.Errorf("%s: %s is %s and %s, want %s", name, code, outcome, verdict, list)
				}
			}
		}
	}
}

// Reversal rules 3.2: AS 2805 (without 35 and 47) and ISO 8583:1993.
func TestFieldsOfTheOtherReversals(t *testing.T) {
	for name, want := range map[string]string{
		"as2805": "[2 3 4 7 11 14 22 32 33 37 41 42 49 90 128]",
		"iso93":  "[2 3 4 7 11 12 14 22 24 25 32 33 37 41 42 43 49 56]",
	} {
		p := builtin(t, name)
		o := original(t, p, composeIn(t, p, "0200", sale()))
		k := &iso.Kept{RRN: "000000000042"}
		m := reversal(t, p, o, k, attempt(p, 1, iso.ReasonTimeout))
		var numbers []int
		for n := range m.Fields {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		if got := fmt.Sprint(numbers); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

// Reversal rules 2.4: types and trace numbers of the first sending and of repeats.
func TestTypesAndTraceNumbers(t *testing.T) {
	for name, want := range map[string]string{
		"iso87-ascii": "0400 000124, 0401 000124, 0401 000124",
		"unionpay":    "0400 000124, 0400 000124, 0400 000124",
		"as2805":      "0420 000124, 0421 000124, 0421 000124",
		"iso93":       "1420 000701, 1421 000702, 1421 000703",
	} {
		p := builtin(t, name)
		o := original(t, p, composeIn(t, p, "0200", chipSale()))
		var got []string
		for n := 1; n <= 3; n++ {
			m := reversal(t, p, o, nil, attempt(p, n, iso.ReasonTimeout))
			got = append(got, m.MTI+" "+m.Fields[11])
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	p := builtin(t, "iso93")
	o := original(t, p, composeIn(t, p, "0200", chipSale()))
	for _, stan := range []string{"", "000124", "0", "000000", "1000000", "12a"} {
		if _, err := p.Reversal(o, nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout, STAN: stan}); err == nil {
			t.Errorf("trace number %q was taken", stan)
		}
	}
}

// A payment that no link could name is not sent.
func TestATraceNumberOfZeroCannotBeNamed(t *testing.T) {
	p := builtin(t, "iso93")
	if _, err := p.Original(compose(t, p, "1200", map[int]string{4: "1", 11: "0", 41: "T"})); err == nil {
		t.Error("taken")
	}
}

// A host of the Elavon kind: packed digits, and two bytes of length before LL fields too.
func TestLengthsOfTwoBytes(t *testing.T) {
	p, err := iso.Parse([]byte("name: two\nextends: iso93\nheader:\n  - literal: CAFE\n"+
		"encoding: {mti: bcd, bitmap: binary, numeric: bcd, binary: binary, length: bcd2, odd: right0}\n"), "two")
	if err != nil {
		t.Fatal(err)
	}
	body := compose(t, p, "1200", map[int]string{2: "4111111111111111", 11: "123", 41: "TERM0001", 32: "123"})
	want := "\xCA\xFE\x12\x00\x40\x20\x00\x01\x00\x80\x00\x00" + "\x00\x16\x41\x11\x11\x11\x11\x11\x11\x11" +
		"\x00\x01\x23" + "\x00\x03\x12\x30" + "TERM0001"
	if string(body) != want {
		t.Errorf("\ngot  %X\nwant %X", body, want)
	}
	if m, err := p.Decode(body); err != nil || m.Fields[32] != "123" || m.Fields[2] != "4111111111111111" {
		t.Errorf("%v %v", m.Fields, err)
	}
}

// Reversal rules 2.5: what follows a reversal that was answered and not taken says so (06), where
// the host has a word for it, and otherwise says what the first one said.
func TestTheReasonAfterARefusal(t *testing.T) {
	for name, want := range map[string]string{"unionpay": "06", "iso87-ascii": "68"} {
		p := builtin(t, name)
		o := original(t, p, composeIn(t, p, "0200", chipSale()))
		a := attempt(p, 2, iso.ReasonTimeout)
		a.Refused = true
		if got := reversal(t, p, o, nil, a).Fields[39]; got != want {
			t.Errorf("%s: the reason after a refusal is %q, want %q", name, got, want)
		}
	}
}
