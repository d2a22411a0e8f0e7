package console

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Rule: our table is GBK's, as far as it goes, in both directions.
func TestTheTableIsGBK(t *testing.T) {
	known := 0
	for lead := 0x81; lead <= 0xfe; lead++ {
		for trail := 0x40; trail <= 0xfe; trail++ {
			ours, ok := fromGBK(byte(lead), byte(trail))
			if !ok {
				continue
			}
			known++
			theirs, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{byte(lead), byte(trail)})
			if err != nil || string(theirs) != string(ours) {
				t.Errorf("%02x%02x is %q, x/text says %q, %v", lead, trail, ours, theirs, err)
			}
			if back := toGBK([]byte(string(ours))); string(back) != string([]byte{byte(lead), byte(trail)}) {
				t.Errorf("%q goes out as %x, came in as %02x%02x", ours, back, lead, trail)
			}
		}
	}
	if known != 7445 {
		t.Errorf("%d characters, GB 2312 has 7445", known)
	}
	if got := string(toGBK([]byte("a€\U0001F600\xff"))); got != "a???" {
		t.Errorf("what is not in it is %q", got)
	}
}

// Rule: every Chinese text of ours can be said in GB 2312, and has the verbs of its English.
func TestChineseTexts(t *testing.T) {
	for en, zh := range chinese {
		if strings.Contains(string(toGBK([]byte(zh))), "?") {
			t.Errorf("%q has characters that GB 2312 lacks", zh)
		}
		for _, verb := range []string{"%d", "%s", "%v", "%q"} {
			if strings.Count(en, verb) != strings.Count(zh, verb) {
				t.Errorf("%q and %q differ in %s", en, zh, verb)
			}
		}
	}
}

// FuzzKeys: whatever comes over the cable, only whole keys get to the line editor.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("\x1b[A\x1b[200~\x00\xe4\xb8\xad\r\n"), false)
	f.Add([]byte("\xd6\xd0\xff\x1b[1;1;1;1;1;1;1"), true)
	f.Fuzz(func(t *testing.T, in []byte, gbk bool) {
		k := keys{next: func(time.Duration) (byte, error) {
			if len(in) == 0 {
				return 0, os.ErrDeadlineExceeded
			}
			b := in[0]
			in = in[1:]
			return b, nil
		}}
		if gbk {
			k.charset = GBK
		}
		for len(in) > 0 {
			key, err := k.read(0)
			if err != nil {
				continue
			}
			switch {
			case key[0] == keyEscape:
				if !slices.Contains(slices.Collect(maps.Values(sequences)), string(key)) {
					t.Fatalf("the sequence %q got through", key)
				}
			case !utf8.Valid(key) || utf8.RuneCount(key) != 1 || key[0] == 0:
				t.Fatalf("%q got through", key)
			}
		}
	})
}

// FuzzWords: whatever is typed, splitting it neither panics nor makes letters up.
func FuzzWords(f *testing.F) {
	f.Add(`resolve 21 --reason 'two words' "x`)
	f.Fuzz(func(t *testing.T, line string) {
		for _, w := range words(line) {
			if len(w) > len(line)*3 {
				t.Fatal("grown")
			}
		}
		_ = clean(line, 10)
	})
}

// Rule: what a person pastes is no echo; a piece of a line of ours is.
func TestEchoGuard(t *testing.T) {
	var g echoGuard
	g.say("\nreversald T0000001\n  challenge  RC1.T0000001.ABCDE-FGHJK\nreversald T0000001 [3 stuck]> ")
	hear := func(text string) bool {
		return slices.ContainsFunc([]byte(text), g.hear)
	}
	for _, typed := range []string{"show 21\r", "RA1.55555-66666-77777-88888-99999\r", "\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A"} {
		if hear(typed) {
			t.Errorf("%q is taken for an echo", typed)
		}
	}
	if !hear("  challenge  RC1.T0000001.ABCDE-FGHJK\r\n") || !hear("reversald T0000001 [3 stuck]> ") {
		t.Error("an echo is taken for typing")
	}
	if !g.line(" reversald T0000001 ") || g.line("status") || g.line("") {
		t.Error("whole lines")
	}
}
