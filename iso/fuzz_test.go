package iso_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/iso"
)

// bothBuiltins are the profiles that need no dialect's fields.
func bothBuiltins(t testing.TB) []*iso.Profile {
	t.Helper()
	return []*iso.Profile{builtin(t, "iso87-ascii"), builtin(t, "iso87-bcd")}
}

// allBuiltins are the profiles the message targets run with.
func allBuiltins(t testing.TB) []*iso.Profile {
	t.Helper()
	var out []*iso.Profile
	for _, name := range iso.BuiltinNames() {
		out = append(out, builtin(t, name))
	}
	return out
}

// addVectors seeds a target with the messages of testdata.
func addVectors(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/messages/*.txt")
	if err != nil || len(files) < 10 {
		f.Fatal("no messages", err)
	}
	for _, file := range files {
		f.Add(readVector(f, file).body)
	}
}

// addMessages seeds a target with messages of every kind.
func addMessages(f *testing.F) {
	for _, p := range bothBuiltins(f) {
		reversal := map[int]string{3: "0", 4: "1", 11: "1", 39: "68", 41: "T", 90: "0200000123"}
		reversal[90] += strings.Repeat("0", 32)
		f.Add(compose(f, p, "0200", sale()))
		f.Add(compose(f, p, "0100", chipSale()))
		f.Add(compose(f, p, "0400", reversal))
		f.Add(compose(f, p, "0210", map[int]string{11: "1", 28: "C00000001", 39: "00", 41: "T", 44: "\u00c8"}))
		f.Add(compose(f, p, "0800", map[int]string{11: "1", 70: "301"}))
	}
}

// addHeaders seeds a target with a message of every profile, whatever its header.
func addHeaders(f *testing.F) {
	f.Helper()
	for _, p := range allBuiltins(f) {
		for _, mti := range []string{"0200", "0210", "1200", "0400", "0800"} {
			f.Add(compose(f, p, mti, map[int]string{3: "0", 4: "1", 11: "123", 39: strings.Repeat("0",
				len(p.Codes().Unknown)), 41: "TERM0001"}))
		}
	}
}

// A frame that is read is the frame that is written, and nothing else is taken for one.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x05hello\x00\x00"))
	f.Add([]byte("0005hello0000"))
	f.Add([]byte("0009hello"))
	f.Add([]byte("99999"))
	var profiles []*iso.Profile
	for _, framing := range []string{"binary2", "ascii4", "bcd2", "{length: ascii4, inclusive: true}"} {
		profiles = append(profiles, framed(f, framing))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		for i, p := range profiles {
			var again []byte
			fr := p.NewFrameReader(bytes.NewReader(stream))
			for {
				body, err := fr.Next()
				if err != nil {
					var fe *iso.FrameError
					if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.As(err, &fe) {
						t.Fatalf("error %v", err)
					}
					break
				}
				if again, err = p.AppendFrame(again, body); err != nil {
					t.Fatalf("frame of %d bytes cannot be written: %v", len(body), err)
				}
			}
			if i < 3 && !bytes.HasPrefix(stream, again) { // inclusive: a keepalive has two forms
				t.Fatalf("read %q, written again %q", stream, again)
			}
		}
	})
}

// Nothing panics on any message, and what a glance accepts everybody else does too.
func FuzzGlance(f *testing.F) {
	addMessages(f)
	addHeaders(f)
	addVectors(f)
	profiles := allBuiltins(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		room := make([]byte, 64)
		for _, p := range profiles {
			g, err := p.Glance(body)
			samePeek(t, p, body, room)
			lines := p.Describe(body)
			everythingShown(p, body)
			if err != nil {
				var fe *iso.FieldError
				if !errors.As(err, &fe) || fe.Offset > len(body) {
					t.Fatalf("error %v", err)
				}
				continue
			}
			if last := lines[len(lines)-1]; last.Field < 0 && last.Problem != "" {
				t.Fatalf("glance accepts what describe does not: %v", last)
			}
			p.WantsSignOn(body)
			_, _ = p.MAC().Cover(body)
			_, _ = p.SignOn().Learn(body)
			answer, err := p.LocalAnswer(body, p.Codes().NotSent)
			if err != nil || !g.Class.Question() || !strings.Contains(g.Key, "/") {
				continue
			}
			a := glance(t, p, answer)
			if a.Key != g.Key || !a.Class.Answers(g.Class) {
				t.Fatalf("answer %q %v does not match %q %v", a.Key, a.Class, g.Key, g.Class)
			}
		}
	})
}

// What is decoded can be composed, and is then decoded to the same.
func FuzzDecode(f *testing.F) {
	addMessages(f)
	addHeaders(f)
	addVectors(f)
	profiles := allBuiltins(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range profiles {
			m, err := p.Decode(body)
			if err != nil {
				continue
			}
			again, err := p.ComposeWith(m.Header, m.MTI, m.Fields)
			if err != nil {
				t.Fatalf("decoded but cannot be composed: %v", err)
			}
			back, err := p.Decode(again)
			if err != nil {
				t.Fatalf("composed but cannot be decoded: %v", err)
			}
			if diff := cmp.Diff(m.Fields, back.Fields); diff != "" || m.MTI != back.MTI {
				t.Fatalf("came back changed:\n%s", diff)
			}
		}
	})
}

// Every payment that Original takes can be reversed, and the reversal leads back to it.
func FuzzReversal(f *testing.F) {
	addMessages(f)
	addVectors(f)
	profiles := allBuiltins(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range profiles {
			g, err := p.Glance(body)
			if err != nil || g.Class != iso.ClassPayment {
				continue
			}
			if _, err := p.Original(body); err != nil {
				continue
			}
			a := attempt(p, 1, iso.ReasonTimeout)
			if g.STAN == a.STAN {
				a.STAN = "000009"
			}
			r, err := p.Reversal(original(t, p, body), nil, a)
			if err != nil {
				t.Fatalf("reversal: %v", err)
			}
			if m := p.MAC(); m.Sends(iso.ClassReversal) {
				placed, err := m.Place(r, []byte("12345678"))
				if code, ok := m.Of(placed); err != nil || !ok || string(code) != "12345678" {
					t.Fatalf("code %q, %v", code, err)
				}
				if _, err := m.Cover(placed); err != nil {
					t.Fatalf("cover: %v", err)
				}
			}
			if back := glance(t, p, r); back.OriginalKey != g.Key || back.AmountMinor != g.AmountMinor {
				t.Fatalf("reversal of %q leads to %q", g.Key, back.OriginalKey)
			}
		}
	})
}

// However a message is damaged, what people see of it shows no whole card number or track. (A
// bitmap that lies just so can put a piece of one where an amount should be; nobody could tell.)
func FuzzLeak(f *testing.F) {
	f.Add(false, false, uint16(12), byte(0x40), uint16(0), byte(0), uint16(400))
	f.Add(true, true, uint16(7), byte(0x80), uint16(20), byte(1), uint16(90))
	profiles := bothBuiltins(f)
	var bodies [4][]byte
	for i, p := range profiles {
		bodies[2*i] = compose(f, p, "0200", sale())
		bodies[2*i+1] = compose(f, p, "0200", chipSale())
	}
	f.Fuzz(func(t *testing.T, bcd, chip bool, at1 uint16, flip1 byte, at2 uint16, flip2 byte, size uint16) {
		i := 0
		if chip {
			i = 1
		}
		p := profiles[0]
		if bcd {
			p, i = profiles[1], i+2
		}
		body := slices.Clone(bodies[i])
		body[int(at1)%len(body)] ^= flip1
		body[int(at2)%len(body)] ^= flip2
		body = body[:min(int(size), len(body))]
		shown := everythingShown(p, body)
		for _, secret := range []string{"5413330089020011", "6222021234567890128", "29122010000012345"} {
			if strings.Contains(shown, secret) {
				t.Fatalf("%X shows card data:\n%q", body, shown)
			}
		}
	})
}

func FuzzTLV(f *testing.F) {
	for _, seed := range []string{
		chipSale()[55], "9F36020001", "5A", "9F8181810100", "70085A0641111111111F",
		"5F820001", "0000950500000000000000", "95820003AABBCC", "7081045A024111",
	} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		names, raw, err := iso.TagsTLV(b)
		all, errAll := iso.SubsetTLV(b, names)
		if err == nil && (errAll != nil || !bytes.Equal(all, bytes.Join(raw, nil))) {
			t.Fatalf("all tags of %X are %X (%v)", b, all, errAll)
		}
		some, _ := iso.SubsetTLV(b, []string{"95", "9F36"})
		wanted, _, err := iso.TagsTLV(some)
		if err != nil {
			t.Fatalf("subset %X is not tags", some)
		}
		for _, name := range wanted {
			if name != "95" && name != "9F36" {
				t.Fatalf("tag %s in the subset", name)
			}
		}
		if card := iso.CardOfChip(b); !card.Zero() {
			if back, err := iso.ParseCard(card.Seal()); err != nil || back != card {
				t.Fatalf("card comes back changed: %v", err)
			}
		}
	})
}

func FuzzTrack(f *testing.F) {
	for _, seed := range []string{
		"5413330089020011=29122010000012345", ";4111111111111111D2912?", "=", "",
		"4111111111111111==201", "4111111111111111=29", "6222021234567890128d2912",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, track string) {
		card, ok := iso.ParseTrack2(track)
		if !ok {
			return
		}
		pan := card.PAN.Reveal()
		if !strings.HasPrefix(strings.TrimPrefix(track, ";"), pan) || strings.Contains(card.String(), pan) {
			t.Fatalf("track %q gives %q", track, pan)
		}
		if back, err := iso.ParseCard(card.Seal()); err != nil || back != card {
			t.Fatalf("card comes back changed: %v", err)
		}
	})
}

// A profile that loads can be used: it composes, looks and reverses without a panic.
func FuzzProfile(f *testing.F) {
	for _, pattern := range []string{"profiles/*.yaml", "testdata/profiles/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add("name: a\nextends: iso87-bcd\nfields: {3: n..6, 90: {format: n42, packed: ascii}}\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := iso.Parse([]byte(text), "f")
		if err != nil {
			var pe *iso.ProfileError
			if !errors.As(err, &pe) || err.Error() == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, fields := range []map[int]string{sale(), chipSale(), {11: "1", 41: "T"}} {
			if body, err := p.Compose("0200", fields); err == nil {
				everythingShown(p, body)
				if o, err := p.Original(body); err == nil {
					_, _ = p.Reversal(o, nil, attempt(p, 1, iso.ReasonTimeout))
				}
			}
		}
	})
}
