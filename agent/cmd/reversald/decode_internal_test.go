package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reversald/iso"
)

// cardSecrets are all that must never be seen of the test cards: the numbers, what follows them in
// a track, and the PIN block; then what nobody can tell from other text when a damaged length or
// bitmap puts it somewhere else: middles of numbers, the verification value, the name.
var cardSecrets = []string{
	"4111111111111111", "6222021234567890128", "5413330089020011", "2912201000001234",
	"29122010000012345", "0123456789ABCDEF", "111111111111", "212345678901", "34567890", "30089020",
	"CVV2=321", "DOE/JANE",
}

// wholeSecrets is how many of them are never seen, whatever is damaged.
const wholeSecrets = 6

// cardMessages are payments with all that is secret in them.
func cardMessages(t *testing.T, p *iso.Profile) [][]byte {
	t.Helper()
	var out [][]byte
	for _, pan := range []string{"4111111111111111", "6222021234567890128", "5413330089020011"} {
		track := pan + "=29122010000012345"
		fields := map[int]string{
			2: pan, 3: "000000", 4: "000000001234", 11: "000123", 14: "2912", 22: "021",
			35: track[:min(37, len(track))], 36: "99" + pan + "=0000", 41: "TERM0001",
			42: "MERCHANT0000001", 44: pan[:4] + " " + pan[4:8] + "-" + pan[8:],
			45: "B" + pan + "^DOE/JANE^2912201", 48: "CVV2=321", 52: "0123456789ABCDEF",
		}
		if p.FieldName(55) != "" {
			tag := "5A0A" + pan + strings.Repeat("F", 20-len(pan))
			fields[55] = tag + "9F360200015F200844" + "4F452F4A414E45"
		}
		for n := range fields {
			if p.FieldName(n) == "" {
				delete(fields, n)
			}
		}
		for _, mti := range []string{"0200", "1200"} {
			if body, err := p.Compose(mti, fields); err == nil {
				out = append(out, body)
				break
			}
		}
	}
	return out
}

// decoded is all that decode writes, with its exit code.
func decoded(args ...string) (said string, code int) {
	var out, errout bytes.Buffer
	code = run(context.Background(), append([]string{"decode"}, args...), &out, &errout)
	return out.String() + errout.String(), code
}

// Whatever is done to a message, and however it is read, decode shows nothing of a card but its
// first six and last four digits.
func TestDecodeShowsNoCard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "frames")
	secrets := cardSecrets
	look := func(what string, content []byte, args ...string) int {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		said, code := decoded(append(args, file)...)
		for _, secret := range secrets {
			if strings.Contains(said, secret) {
				t.Fatalf("%s shows %s:\n%s", what, secret, said)
			}
		}
		if code != exitOK && code != exitData {
			t.Fatalf("%s: exit code %d: %s", what, code, said)
		}
		return code
	}
	for _, name := range iso.BuiltinNames() {
		p, err := iso.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		var frames []byte
		for _, body := range cardMessages(t, p) {
			frames, _ = p.AppendFrame(frames, body)
			if code := look(name, body, "-p", name); code != exitOK {
				t.Errorf("%s: a whole message ends with %d", name, code)
			}
			for _, as := range iso.BuiltinNames() {
				look(name+" as "+as, body, "-p", as)
				look(name+" as "+as, body, "--framed", "--json", "-p", as)
			}
			for at := 0; at < len(body); at += 6 {
				look(name+" cut", body[:at+1], "-p", name)
				look(name+" from the middle", []byte(hex.EncodeToString(body[at:])))
				damaged := slices.Clone(body)
				damaged[at] ^= byte(1 << (at % 8))
				secrets = cardSecrets[:wholeSecrets]
				look(name+" damaged", damaged, "--json", "-p", name)
				secrets = cardSecrets
			}
		}
		if code := look(name+", framed", frames); len(frames) > 0 && code != exitOK {
			t.Errorf("%s: whole messages end with %d", name, code)
		}
		look(name+", framed in hexadecimal", []byte(hex.EncodeToString(frames)), "--json")
	}
	for _, pan := range cardSecrets[:1] {
		look("a card number", []byte(pan))
		look("a card number and more", []byte(pan+"=2912zz"))
		if said, _ := decoded(pan + "x"); strings.Contains(said, pan) {
			t.Errorf("what was typed is repeated: %s", said)
		}
	}
}

// Hexadecimal is read the way people write it, and nothing else is.
func TestUnhex(t *testing.T) {
	for text, want := range map[string]string{
		"0200":                         "\x02\x00",
		" 02 00\r\n\tFf ":              "\x02\x00\xff",
		"0x02 0X00 0x0200":             "\x02\x00\x02\x00",
		"02:00,ff":                     "\x02\x00\xff",
		"# a comment: 99\n02 # 98\n00": "\x02\x00",
		"":                             "",
		"02 0":                         "\x02 !",
		"02 0 0":                       "\x02 !",
		"02 zz":                        "\x02 !",
		"0x":                           "",
		"x02":                          " !",
	} {
		b, err := unhex([]byte(text))
		got := string(b)
		if err != nil {
			got += " !"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Decode takes any bytes there are: no panic, no hang, nothing but 0 and 65.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x05hello\x00\x00"), false)
	f.Add([]byte("60 00 03 00 00 08 00 00 20 00 00 00 80 00 00 00 00 01"), true)
	f.Add([]byte("0x02,0x00 # comment\n\n0200"), false)
	var profiles []*iso.Profile
	for _, name := range iso.BuiltinNames() {
		p, err := iso.Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		profiles = append(profiles, p)
	}
	f.Fuzz(func(t *testing.T, text []byte, framed bool) {
		if len(text) == 0 {
			return
		}
		r, err := input{text: text}.read(profiles, framed)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		o := options{out: &out}
		err = o.printReading(r, false)
		for _, m := range r.messages {
			if err == nil && m.problem != nil {
				t.Fatal("a problem, and no error")
			}
		}
	})
}
