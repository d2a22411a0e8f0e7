package iso_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"reversald/iso"
)

// PCI DSS 3.3.1 and 3.4.1: no sensitive data is kept, and no card number is shown.
func TestNothingShowsACard(t *testing.T) {
	for _, name := range iso.BuiltinNames() {
		p := builtin(t, name)
		for what, fields := range map[string]map[int]string{"sale": sale(), "chip sale": chipSale()} {
			body := composeIn(t, p, "0200", fields)
			noSecrets(t, name+" "+what, everythingShown(p, body)+toldTheApp(p, body))
			for cut := range body {
				noSecrets(t, fmt.Sprintf("%s %s cut at %d", name, what, cut),
					everythingShown(p, body[:cut]))
			}
			for at := range body {
				for _, flip := range []byte{0x01, 0x10, 0x80, 0xFF} {
					body[at] ^= flip
					noSecrets(t, fmt.Sprintf("%s %s with byte %d xor %x", name, what, at, flip),
						everythingShown(p, body))
					body[at] ^= flip
				}
			}
		}
	}
}

// What is kept is an allow-list: every field filled, only the named ones come out.
func TestOriginalKeepsOnlyWhatTheReversalNeeds(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	fields := sale()
	for n := 2; n <= 128; n++ {
		if _, ok := fields[n]; ok || p.FieldName(n) == "" {
			continue
		}
		for _, v := range []string{"1", "C00000001", "D0000000000000001", "00", "00112233445566AA"} {
			if _, err := p.Compose("0200", map[int]string{n: v}); err == nil {
				fields[n] = v
				break
			}
		}
	}
	fields[55] = chipSale()[55]
	o, err := p.Original(compose(t, p, "0200", fields))
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[int]bool{}
	for _, n := range []int{3, 4, 7, 11, 12, 13, 18, 22, 23, 25, 32, 33, 41, 42, 43, 49, 55} {
		allowed[n] = true
	}
	for n := range o.Fields {
		if !allowed[n] {
			t.Errorf("field %d is kept", n)
		}
	}
	if got, want := o.Fields[55], "95050000008000"+"9F100807010103A0000001"+"9F36020001"+"DF310101"; got != want {
		t.Errorf("chip data kept: %s, want %s", got, want)
	}
}

// An app that puts the card number into a field that is kept, where no card number belongs, is not
// served: it would stand on disk in clear.
func TestACardNumberInAnotherFieldIsNotKept(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	for name, taken := range map[string]bool{
		"6222021234567890128": false, "SHOP 6222021234567890128": false, "SHOP 622202123456789012": true,
	} {
		m := chipSale() // the number is in the track and in the chip data
		m[43] = name
		if o, err := p.Original(composeIn(t, p, "0200", m)); (err == nil) != taken {
			t.Errorf("%q: kept %q, %v", name, o.Fields[43], err)
		}
	}
}

func TestCardNumberPrintsMasked(t *testing.T) {
	const digits = "6222021234567890128"
	pan := iso.PAN(digits)
	card := iso.Card{PAN: pan, Expiry: "2912"}
	var b strings.Builder
	for _, v := range []any{
		pan, &pan, card, &card,
		[]iso.PAN{pan},
		struct{ P iso.PAN }{pan},
		struct{ C iso.Card }{card},
		iso.Original{Card: card},
		map[string]iso.Card{"a": card},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%o", "%20s", "%.3s"} {
			fmt.Fprintf(&b, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		fmt.Fprintln(&b, string(text), err)
		slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	}
	fmt.Fprintln(&b, pan.GoString(), pan.LogValue(), card.String())
	fmt.Fprint(&b, fmt.Errorf("wrapped %w %v", fmt.Errorf("%s", pan), card))
	out := b.String()
	for _, secret := range []string{digits, "34567890", "2912", fmt.Sprintf("%x", digits)} {
		if strings.Contains(out, secret) {
			t.Errorf("printing shows %q in\n%s", secret, out)
		}
	}
	if !strings.Contains(out, "622202*********0128") {
		t.Errorf("masked form not found in\n%s", out)
	}
	if got, want := iso.PAN("411111111111").String(), "************"; got != want {
		t.Errorf("a number of 12 digits prints as %q, want %q", got, want)
	}
}

func TestCardSurvivesSealing(t *testing.T) {
	for _, card := range []iso.Card{
		{}, {PAN: "4111111111111111"}, {PAN: "4111111111111111", Expiry: "2912"}, {Expiry: "2912"},
	} {
		got, err := iso.ParseCard(card.Seal())
		if err != nil || got != card {
			t.Errorf("card comes back as %v (%v)", got, err)
		}
	}
	for _, bad := range []string{
		"x", "1:", "1::", "2:4111111111111111:2912", "1:41:2912",
		"1:4111111111111111:29", "1:4111111111111111", "1:4111111111111111:2912:1",
	} {
		if _, err := iso.ParseCard([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a card", bad)
		} else {
			noSecrets(t, "error", err.Error())
		}
	}
}
