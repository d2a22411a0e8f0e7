package iso_test

import (
	"strings"
	"testing"

	"reversald/iso"
)

func TestMaskText(t *testing.T) {
	pan := "4111" + "111111111111"
	for in, want := range map[string]string{
		"":                                   "",
		"no digits":                          "no digits",
		"card " + pan + " by hand":           "card 411111******1111 by hand",
		"4111 1111 1111 1111":                "4111 11** **** 1111",
		"4111-1111-1111-1111, please":        "4111-11**-****-1111, please",
		pan + "," + pan:                      "411111******1111,411111******1111",
		"RRN 123456789012, at 20260301":      "RRN 123456789012, at 20260301",
		"4111111111111112 fits no card":      "4111111111111112 fits no card",
		"6222021234567890128":                "622202*********0128",
		"12345678901234567890123":            "12345678901234567890123",
		"tel 010 1234 5678":                  "tel 010 1234 5678",
		"x" + pan + "y":                      "x411111******1111y",
		"\xff" + pan + "\xff":                "\xff411111******1111\xff",
		strings.Repeat(" ", 20) + pan + "  ": strings.Repeat(" ", 20) + "411111******1111  ",
	} {
		if got := iso.MaskText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzMaskText: whatever a person writes, its length stays, nothing but digits changes, and masking
// again changes nothing.
func FuzzMaskText(f *testing.F) {
	for _, seed := range []string{"card 4111111111111111", "4111 1111 1111 1111 1", "....", "1-2-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masked := iso.MaskText(text)
		if len(masked) != len(text) {
			t.Fatalf("%q became %q", text, masked)
		}
		for i := range len(text) {
			if text[i] != masked[i] && (masked[i] != '*' || text[i] < '0' || text[i] > '9') {
				t.Fatalf("%q became %q", text, masked)
			}
		}
		if again := iso.MaskText(masked); again != masked {
			t.Fatalf("%q became %q, and then %q", text, masked, again)
		}
	})
}
