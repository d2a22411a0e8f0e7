package iso_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"reversald/iso"
)

// Rule: a request is worded in every dialect as a payment that can be reversed, with the times that
// its reversal repeats and no others, and room for a MAC where one is wanted.
func TestARequestIsWordedInEveryDialect(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 8, 7, 0, time.UTC)
	for name, want := range map[string]map[int]string{
		"iso87-ascii": {3: "000000", 4: "000000001234", 7: "0301090807", 12: "090807", 13: "0301"},
		"iso87-bcd":   {3: "000000", 4: "000000001234", 7: "0301090807", 12: "090807", 13: "0301"},
		"unionpay":    {3: "000000", 4: "000000001234", 7: "", 12: "", 13: "", 64: "0000000000000000"},
		"iso93":       {3: "000000", 4: "000000001234", 7: "0301090807", 12: "260301090807"},
		"as2805":      {3: "000000", 4: "000000001234", 64: "0000000000000000"},
	} {
		p, err := iso.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		for kind, digit := range map[iso.RequestKind]byte{iso.RequestSale: '2', iso.RequestAuthorization: '1'} {
			body, err := p.Word(iso.Request{
				Kind: kind, Amount: 1234, Currency: "156", PAN: "4111111111111111", Expiry: "3012",
				STAN: "000123", Terminal: "T1", Merchant: "M1", Time: at,
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			m, err := p.Decode(body)
			if err != nil {
				t.Fatal(err)
			}
			g, err := p.Glance(body)
			if err != nil || !g.Reversible || m.MTI[1] != digit || g.AmountMinor != 1234 || g.Terminal != "T1" {
				t.Errorf("%s: %s %+v, %v", name, m.MTI, g, err)
			}
			if _, err := p.Original(body); err != nil {
				t.Errorf("%s: can not be reversed: %v", name, err)
			}
			for n, v := range want {
				if m.Fields[n] != v {
					t.Errorf("%s: field %d is %q, want %q", name, n, m.Fields[n], v)
				}
			}
		}
	}
}

// Rule: what does not fit is an error with the field and no value of it.
func TestARequestThatDoesNotFit(t *testing.T) {
	p, err := iso.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[int]func(*iso.Request){
		2:  func(r *iso.Request) { r.PAN = "41111111111111114111111111111111" },
		4:  func(r *iso.Request) { r.Amount = 1e15 },
		11: func(r *iso.Request) { r.STAN = "4111111111111111" },
		14: func(r *iso.Request) { r.Expiry = "12/29" },
		55: func(r *iso.Request) { r.Chip = "4111111111111111x" },
		65: func(r *iso.Request) { r.Fields = map[int]string{65: "4111111111111111"} },
		0:  func(r *iso.Request) { r.MTI = "4111111111111111" },
	} {
		r := iso.Request{Amount: 1, Currency: "156", PAN: "4111111111111111", STAN: "000001", Terminal: "T"}
		spoil(&r)
		_, err := p.Word(r)
		var bad *iso.FieldError
		if !errors.As(err, &bad) || bad.Field != field || strings.Contains(err.Error(), "4111") {
			t.Errorf("field %d: %v", field, err)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v %s", r, r, r), "411111") {
			t.Error("a request prints its card")
		}
	}
}

// FuzzWord: whatever is asked for becomes a message that reads back, or an error.
func FuzzWord(f *testing.F) {
	f.Add("iso87-ascii", "0200", "4111111111111111", "=", "9F2608010203", int64(1), "T", 60, "x")
	f.Add("unionpay", "", "6222021234567890128", "6222021234567890128=2912", "", int64(12), "T", 60, "22000001000500")
	f.Add("iso93", "1100", "", "", "", int64(0), "", 0, "")
	profiles := map[string]*iso.Profile{}
	for _, name := range iso.BuiltinNames() {
		p, err := iso.Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		profiles[name] = p
	}
	f.Fuzz(func(t *testing.T, profile, mti, pan, track, chip string, amount int64, name string, field int, value string) {
		p := profiles[profile]
		if p == nil {
			return
		}
		body, err := p.Word(iso.Request{
			MTI: mti, PAN: pan, Track2: track, Chip: chip, Amount: amount, Terminal: name, STAN: "000001",
			Fields: map[int]string{field: value}, Time: time.Unix(1e9, 0),
		})
		if err != nil {
			return
		}
		if _, err := p.Decode(body); err != nil {
			t.Errorf("worded, and can not be read: %v", err)
		}
		_ = p.ChipAnswer(body)
		_ = p.Shareable(body)
	})
}
