package iso_test

import (
	"bytes"
	"testing"
	"time"

	"reversald/iso"
)

// values are what the vectors were made with.
func values() iso.Values {
	return iso.Values{
		STAN: "000001", Terminal: "TERM0001", Merchant: "MERCHANT0000001", Batch: "000001",
		Time: time.Date(2026, 1, 2, 11, 4, 5, 0, time.UTC),
	}
}

// Reversal rules 5: the sign-on of UnionPay as a vector, and what its answer brings.
func TestSignOnOfUnionPay(t *testing.T) {
	p := builtin(t, "unionpay")
	s := p.SignOn()
	if s.None() || !s.AtLinkUp() || s.BeforeReversals() || s.Messages() != 1 {
		t.Fatal("another sign-on")
	}
	body, err := s.Message(0, values())
	if want := vectorNamed(t, "unionpay_sign_on").body; err != nil || !bytes.Equal(body, want) {
		t.Errorf("%v\ngot  %X\nwant %X", err, body, want)
	}
	answer := vectorNamed(t, "unionpay_sign_on_answer").body
	g := glance(t, p, answer)
	if !s.Accepted(g) || g.Key != glance(t, p, body).Key || s.Accepted(iso.Glance{Code: "97"}) {
		t.Error("the answer is not taken for one")
	}
	got, err := s.Learn(answer)
	if err != nil || string(got.Keys) != "0123456789abcdefKCV1fedcba9876543210KCV2" || got.Batch != "000002" ||
		got.Date != "0102" || got.Time != "110405" {
		t.Errorf("learned %v: %q %q %q %q", err, got.Keys, got.Batch, got.Date, got.Time)
	}
	if _, err := s.Learn([]byte("noise")); err == nil {
		t.Error("learned from noise")
	}
	if _, err := s.Message(1, values()); err == nil {
		t.Error("a second message")
	}
	for _, change := range []func(*iso.Values){
		func(v *iso.Values) { v.STAN = "" }, func(v *iso.Values) { v.Terminal = "" },
		func(v *iso.Values) { v.Merchant = "" }, func(v *iso.Values) { v.Header = []byte{1} },
	} {
		v := values()
		change(&v)
		if _, err := s.Message(0, v); err == nil {
			t.Error("made of nothing")
		}
	}
	noSecrets(t, "the answer", everythingShown(p, answer))
	if bytes.Contains([]byte(everythingShown(p, answer)), []byte("0123456789abcdef")) {
		t.Error("working keys are shown")
	}
}

// The half byte of the processing request, and the codes that ask for new keys.
func TestWhenTheHostWantsASignOn(t *testing.T) {
	p := builtin(t, "unionpay")
	if !p.WantsSignOn(vectorNamed(t, "unionpay_reversal_answer").body) {
		t.Error("header request 3 was not seen")
	}
	for code, want := range map[string]bool{"A0": true, "99": true, "77": true, "00": false, "51": false, "97": false} {
		body := compose(t, p, "0210", map[int]string{11: "1", 39: code, 41: "T"})
		if p.WantsSignOn(body) != want {
			t.Errorf("code %s: %v", code, !want)
		}
		for request := range 16 {
			asks := append(p.SetHeaderRequest(body[:11], request), body[11:]...)
			if got, ok := p.HeaderRequest(asks); !ok || got != request || asks[7] != body[7]&0xF0|byte(request) {
				t.Errorf("request %d reads %d", request, got)
			}
			if p.WantsSignOn(asks) != (want || request == 3) {
				t.Errorf("code %s, request %d", code, request)
			}
		}
	}
	if p.WantsSignOn(nil) || p.WantsSignOn([]byte("x")) {
		t.Error("noise asks for a sign-on")
	}
	plain := builtin(t, "iso87-bcd")
	if plain.WantsSignOn(compose(t, plain, "0210", map[int]string{11: "1", 39: "A0", 41: "T"})) || !plain.SignOn().None() {
		t.Error("a host without sign-on wants one")
	}
	if _, ok := plain.HeaderRequest([]byte("\x60\x00\x03\x00\x00\x02\x10")); ok {
		t.Error("a TPDU asks for something")
	}
	if header := plain.SetHeaderRequest([]byte("\x60\x00\x03\x00\x00"), 3); string(header) != "\x60\x00\x03\x00\x00" {
		t.Errorf("header %X", header)
	}
}

// The answer goes back with the addresses swapped and the UnionPay header as it was.
func TestHeaderChain(t *testing.T) {
	p := builtin(t, "unionpay")
	answer, err := p.LocalAnswer(vectorNamed(t, "unionpay_sale").body, "91")
	if err != nil || string(answer[:11]) != "\x60\x00\x00\x00\x03\x60\x22\x00\x00\x00\x00" {
		t.Errorf("%v %X", err, answer)
	}
	long, err := iso.Parse([]byte("name: n\nextends: iso87-bcd\nheader:\n  - literal: 'AB'\n  - unionpay: '603100311003'\n"+
		"  - tpdu: '6012345678'\n  - literal: 0102\n"), "n")
	if err != nil {
		t.Fatal(err)
	}
	body := compose(t, long, "0800", map[int]string{11: "1"})
	if string(body[:14]) != "\xAB\x60\x31\x00\x31\x10\x03\x60\x12\x34\x56\x78\x01\x02" {
		t.Errorf("header %X", body[:14])
	}
	if got := long.AnswerHeader(body[:14]); string(got) != "\xAB\x60\x31\x00\x31\x10\x03\x60\x56\x78\x12\x34\x01\x02" {
		t.Errorf("answer header %X", got)
	}
}

func TestEcho(t *testing.T) {
	for name, want := range map[string]struct {
		mti, field, value string
		idle              time.Duration
	}{
		"unionpay": {"0820", "60", "00000001301", 2 * time.Minute},
		"as2805":   {"0800", "70", "301", time.Minute},
		"iso93":    {"1804", "24", "831", time.Minute},
	} {
		p := builtin(t, name)
		body, err := p.Echo().Message(values())
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.Decode(body)
		number := map[string]int{"60": 60, "70": 70, "24": 24}[want.field]
		if err != nil || m.MTI != want.mti || m.Fields[number] != want.value || p.Echo().Idle() != want.idle || m.Fields[11] != "000001" {
			t.Errorf("%s: %v %s %v", name, err, m.MTI, m.Fields)
		}
		if m.Fields[64] != "" {
			t.Errorf("%s: the echo has a code", name)
		}
		if g := glance(t, p, body); g.Class != iso.ClassOther {
			t.Errorf("%s: the echo is a %v", name, g.Class)
		}
	}
	p := builtin(t, "iso87-ascii")
	if _, err := p.Echo().Message(values()); err == nil || !p.Echo().None() || p.Echo().Idle() != 0 {
		t.Error("iso87-ascii has an echo")
	}
}

func TestValuesOf(t *testing.T) {
	p := builtin(t, "unionpay")
	v := iso.ValuesOf(original(t, p, vectorNamed(t, "unionpay_sale").body))
	if v.Terminal != "TERM0001" || v.Merchant != "MERCHANT0000001" || len(v.Header) != 11 {
		t.Errorf("%+v", v)
	}
}
