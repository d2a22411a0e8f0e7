package verbs

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean makes a text from outside safe for a screen: what a terminal would obey (control
// characters of seven and eight bits, among them the beginnings of escape sequences) and what makes
// a text read differently from what it is (direction marks, characters of no width) is shown as
// what it is, \x1b or \u202e. Bytes that are no UTF-8 are shown likewise.
func Clean(text string) string {
	if !needsCleaning(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case !unsafe(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b.String()
}

func needsCleaning(text string) bool {
	for i, r := range text {
		if unsafe(r) || r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
			return true
		}
	}
	return false
}

// unsafe holds for every character that does something instead of showing something.
func unsafe(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f: // C0, DEL, C1
		return true
	case r == 0xad, r == 0x61c, r == 0x180e: // soft hyphen, Arabic letter mark, vowel separator
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e: // no width, ends, directions
		return true
	case r >= 0x2060 && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb:
		return true
	case r >= 0xe0000 && r <= 0xe0fff: // tags
		return true
	}
	return false
}

// cleaned is what is filled into a text of ours: every word of it from outside.
func cleaned(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			out[i] = Clean(v)
		case error:
			out[i] = Clean(v.Error())
		case fmt.Stringer:
			out[i] = Clean(v.String())
		default:
			out[i] = arg
		}
	}
	return out
}

// cleanJSON escapes, in JSON, what a screen would obey and encoding/json leaves as it is. Outside
// of strings JSON has no such characters.
func cleanJSON(text []byte) []byte {
	if !needsCleaning(strings.TrimSuffix(string(text), "\n")) {
		return text
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case r == '\n' || !unsafe(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}

// escape makes a text safe between the tags of a page, and in its attributes.
func escape(text string) string { return html.EscapeString(Clean(text)) }
