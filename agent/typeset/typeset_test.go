package typeset_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"reversald/agent/typeset"
)

// Rule: lines break at blanks and between Chinese characters, and no line begins with a full stop.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 8, ""},
		{"one two three", 8, "one two|three"},
		{"longerthanthat", 6, "longer|thanth|at"},
		{"银行已撤销本笔交易。", 8, "银行已撤|销本笔交|易。"},
		{"银行已撤。销", 8, "银行已|撤。销"},
		{"银行已撤,销", 8, "银行已|撤,销"},
		{"Card 卡号 ok", 7, "Card 卡|号 ok"},
	} {
		got := strings.Join(typeset.Lines(c.text, c.width, 0), "|")
		if got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
	if got := typeset.Wrap("one two\nthree four", 6, 2); got != "one\n  two\nthree\n  four" {
		t.Errorf("%q", got)
	}
	if typeset.Pad("卡", 4) != "卡  " || typeset.PadLeft("卡", 4) != "  卡" ||
		typeset.Cut("卡号 1234", 6) != "卡号 ~" {
		t.Error(typeset.Pad("卡", 4), typeset.PadLeft("卡", 4), typeset.Cut("卡号 1234", 6))
	}
}

// FuzzLines: no line is wider than it may be, and nothing but blanks is lost.
func FuzzLines(f *testing.F) {
	f.Add("银行已撤销本笔交易。see the slip", 24)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 8 || width > 200 || len(text) > 1000 || !utf8.ValidString(text) {
			t.Skip()
		}
		lines := typeset.Lines(text, width, 0)
		for _, line := range lines {
			if n := typeset.Columns(line); n > width {
				t.Errorf("%d columns of %d: %q", n, width, line)
			}
		}
		plain := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := plain(strings.Join(lines, "")); got != plain(text) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
