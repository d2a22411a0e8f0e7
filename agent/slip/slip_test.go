package slip_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"reversald/agent/slip"
)

var update = flag.Bool("update", false, "write the slips as they are now")

func full(e slip.Event) slip.Slip {
	return slip.Slip{
		Event: e, ID: 4711, Merchant: "MERCHANT0000001", Terminal: "TERM0001", STAN: "000042",
		RRN: "612309000042", Card: "622202*********0128", Amount: 5500, Currency: "156",
		Time:    time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
		Printed: time.Date(2026, 3, 1, 9, 31, 2, 0, time.UTC), Contact: "400-123-4567",
	}
}

// Every slip in every language looks as it did; `go test ./agent/slip -update` writes them.
func TestTheSlips(t *testing.T) {
	for e, name := range map[slip.Event]string{
		slip.Failed: "failed", slip.Reversed: "reversed", slip.Stuck: "stuck",
	} {
		for _, lang := range []string{"en", "zh", "both"} {
			l, ok := slip.ParseLang(lang)
			if !ok {
				t.Fatal(lang)
			}
			got := full(e).Text(l, 32)
			file := filepath.Join("testdata", fmt.Sprintf("%s-%s.txt", name, lang))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: -want +got\n%s", file, diff)
			}
		}
	}
}

// No line is wider than the paper, whatever is in the slip.
func TestNoLineIsWiderThanThePaper(t *testing.T) {
	long := full(slip.Failed)
	long.Merchant = strings.Repeat("W", 70)
	long.Contact = "收单行客服中心二十四小时热线电话号码 400-123-4567 转 8899"
	for _, s := range []slip.Slip{full(slip.Failed), full(slip.Reversed), full(slip.Stuck), long} {
		for width := slip.WidthMin; width <= slip.WidthMax; width++ {
			for _, lang := range []slip.Lang{slip.English, slip.Chinese, slip.Both} {
				for line := range strings.Lines(s.Text(lang, width)) {
					n := 0
					for _, r := range strings.TrimRight(line, "\n") {
						if n++; r >= 0x1100 {
							n++
						}
					}
					if n > width {
						t.Fatalf("%d columns on paper of %d: %q", n, width, line)
					}
				}
			}
		}
	}
}

// What a host or an app wrote can not command the printer.
func TestNoCommandGetsThrough(t *testing.T) {
	s := full(slip.Failed)
	s.Merchant, s.RRN = "A\x1b@\x1dV\x00B", "\x9b1\n2"
	text := s.Text(slip.Both, 32)
	for _, r := range text {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			t.Errorf("%U is on the slip", r)
		}
	}
	if strings.Contains(text, "MERCHANT") || !strings.Contains(text, "A@VB") {
		t.Errorf("%s", text)
	}
}

// The bytes for the printer begin and end as a job does, and the text is encoded.
func TestESCPOS(t *testing.T) {
	shout := func(b []byte) []byte { return bytes.ToUpper(b) }
	got := full(slip.Reversed).ESCPOS(slip.Both, 32, shout)
	want := strings.ToUpper(full(slip.Reversed).Text(slip.Both, 32))
	if !bytes.HasPrefix(got, []byte("\x1b@\x1c&")) || !bytes.HasSuffix(got, []byte("\x1bd\x04\x1dVB\x00")) ||
		!bytes.Contains(got, []byte(want)) {
		t.Errorf("%q", got)
	}
	if got := full(slip.Reversed).ESCPOS(slip.English, 32, nil); bytes.Contains(got, []byte("\x1c")) {
		t.Errorf("a printer that has no Chinese is asked for it: %q", got)
	}
}

// A slip of nothing is nothing, and panics at nothing.
func FuzzText(f *testing.F) {
	f.Add("MERCHANT", "卡", uint8(1), 32, int64(1))
	f.Fuzz(func(t *testing.T, a, b string, e uint8, width int, amount int64) {
		s := slip.Slip{Event: slip.Event(e), Merchant: a, Contact: b, Amount: amount, Currency: a}
		if text := s.Text(slip.Both, width); utf8.ValidString(a) && utf8.ValidString(b) && !utf8.ValidString(text) {
			t.Errorf("%q", text)
		}
	})
}
