package iso_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"reversald/iso"
)

// secrets are everything of the test cards that must never be seen: whole numbers, the digits
// between the six and the four that may be shown, and what follows them in a track.
var secrets = []string{
	"4111111111111111", "6222021234567890128", "5413330089020011",
	"34567890", "30089020", "29122010000012345", "0123456789ABCDEF",
}

// builtin loads a profile that comes with the program.
func builtin(t testing.TB, name string) *iso.Profile {
	t.Helper()
	p, err := iso.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sale is a magnetic-stripe sale with everything in it that must not be kept.
func sale() map[int]string {
	return map[int]string{
		2: "5413330089020011", 3: "000000", 4: "000000001234", 7: "0102030405", 11: "000123",
		12: "110405", 13: "0102", 14: "2912", 22: "021", 25: "00", 32: "10000000987", 33: "987",
		35: "5413330089020011=29122010000012345", 36: "995413330089020011=000000000000",
		41: "TERM0001", 42: "MERCHANT0000001", 43: "CORNER SHOP", 45: "B5413330089020011^DOE/J^2912201",
		48: "CVV2=123", 49: "840", 52: "0123456789ABCDEF",
	}
}

// chipSale has its card number only in track 2 and in the chip data.
func chipSale() map[int]string {
	return map[int]string{
		3: "000000", 4: "000000001234", 11: "000124", 22: "051", 23: "001", 25: "00",
		35: "6222021234567890128=29122010000012345", 41: "TERM0001", 42: "MERCHANT0000001",
		49: "156", 52: "0123456789ABCDEF",
		55: "5A0A6222021234567890128F" + "57126222021234567890128D2912201000001234" + "5F2403291231" +
			"5F2005444F452F4A" + "9F2608010203040506A7B8" + "95050000008000" + "9F100807010103A0000001" +
			"9F36020001" + "DF310101",
	}
}

// asIn is a payment's fields as a dialect has them, and its message type.
func asIn(p *iso.Profile, mti string, fields map[int]string) (string, map[int]string) {
	out := maps.Clone(fields)
	switch p.Name() {
	case "unionpay":
		out[48], out[60], out[64] = "123", "22000001000500", "4131423243334434"
	case "as2805":
		out[64] = "1122334455667788"
	case "iso93":
		out[12], out[22] = "260102110405", "510101510140"
		delete(out, 13)
		delete(out, 25)
		mti = "1" + mti[1:]
	}
	maps.DeleteFunc(out, func(n int, _ string) bool { return p.FieldName(n) == "" })
	return mti, out
}

// composeIn is a payment as a dialect has it.
func composeIn(t testing.TB, p *iso.Profile, mti string, fields map[int]string) []byte {
	t.Helper()
	mti, fields = asIn(p, mti, fields)
	return compose(t, p, mti, fields)
}

// attempt is one sending of a reversal, with a trace number if the dialect wants one of its own.
func attempt(p *iso.Profile, n int, r iso.Reason) iso.Attempt {
	a := iso.Attempt{N: n, Reason: r}
	if p.StanPolicy().For(n) != iso.StanOriginal {
		a.STAN = iso.FormatSTAN(700 + n)
	}
	return a
}

func compose(t testing.TB, p *iso.Profile, mti string, fields map[int]string) []byte {
	t.Helper()
	body, err := p.Compose(mti, fields)
	if err != nil {
		t.Fatalf("compose %s: %v", mti, err)
	}
	return body
}

func glance(t testing.TB, p *iso.Profile, body []byte) iso.Glance {
	t.Helper()
	g, err := p.Glance(body)
	if err != nil {
		t.Fatalf("glance: %v", err)
	}
	return g
}

// noSecrets fails if text shows a part of a test card that must not be seen.
func noSecrets(t testing.TB, what, text string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Fatalf("%s shows card data: %s", what, text)
		}
	}
}

// everythingShown is all that people and files ever get to see of a message.
func everythingShown(p *iso.Profile, body []byte) string {
	var b strings.Builder
	for _, line := range p.Describe(body) {
		fmt.Fprintf(&b, "%s\n%+v\n", line, line)
	}
	g, err := p.Glance(body)
	fmt.Fprintf(&b, "%+v %v\n", g, err)
	o, err := p.Original(body)
	text, _ := json.Marshal(o)
	fmt.Fprintf(&b, "%s %+v %#v %v\n", text, o, o, err)
	k, err := p.Keep(body)
	text, _ = json.Marshal(k)
	fmt.Fprintf(&b, "%s %+v %v\n", text, k, err)
	m, err := p.Decode(body)
	fmt.Fprintf(&b, "%v %+v %#v %v\n", m, m, m, err)
	return b.String()
}

// toldTheApp is what the app hears of its own message when the host does not speak.
func toldTheApp(p *iso.Profile, body []byte) string {
	answer, err := p.LocalAnswer(body, p.Codes().NotSent)
	return fmt.Sprintf("%s %v\n", answer, err)
}
