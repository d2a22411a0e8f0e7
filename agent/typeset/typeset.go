// Package typeset measures and breaks text for screens and paper, where a Chinese character takes
// two columns.
package typeset

import (
	"strings"
	"unicode/utf8"
)

// Columns is how wide a text is on a screen: a Chinese character takes two.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n += RuneColumns(r)
	}
	return n
}

// RuneColumns covers what our own texts and names in Chinese, Japanese and Korean use (Unicode
// East Asian Width, wide and full width).
func RuneColumns(r rune) int {
	switch {
	case r < 0x1100:
		return 1
	case r <= 0x115f, r >= 0x2e80 && r <= 0x303e, r >= 0x3041 && r <= 0xa4cf,
		r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff,
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Pad fills a text up to so many columns.
func Pad(text string, width int) string {
	if n := width - Columns(text); n > 0 {
		return text + strings.Repeat(" ", n)
	}
	return text
}

// PadLeft is Pad, with the text at the end.
func PadLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-Columns(text))) + text
}

// Cut shortens a text to so many columns, and shows that it did.
func Cut(text string, width int) string {
	if Columns(text) <= width {
		return text
	}
	var b strings.Builder
	used := 0
	for _, r := range text {
		if used += RuneColumns(r); used > width-1 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "~"
}

// Wrap breaks a text into lines of at most width columns, at blanks, and between Chinese
// characters. Lines after the first are indented.
func Wrap(text string, width, indent int) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, Lines(line, width, indent)...)
	}
	return strings.Join(lines, "\n")
}

// Lines is Wrap for one line of text.
func Lines(line string, width, indent int) []string {
	var lines []string
	margin := ""
	for Columns(margin+line) > width {
		at := breakAt(line, width-len(margin))
		word, _, _ := strings.Cut(strings.TrimLeft(line[at:], " "), " ")
		if n := Columns(word); n > width-indent && n == utf8.RuneCountInString(word) {
			at = fill(line, width-len(margin)) // it would be broken on the next line anyway
		}
		lines = append(lines, margin+strings.TrimRight(line[:at], " "))
		line = strings.TrimLeft(line[at:], " ")
		margin = strings.Repeat(" ", indent)
	}
	return append(lines, margin+line)
}

// fill is where a line is full.
func fill(line string, width int) int {
	used := 0
	for i, r := range line {
		if used += RuneColumns(r); used > width {
			return max(i, firstRune(line))
		}
	}
	return len(line)
}

// noBreakBefore are full stops and the like: none of them begins a line. Those of ASCII stand
// behind Chinese characters too, where paper is narrow.
const noBreakBefore = "，。；：、！？）》」”％,.;:!?)"

// breakAt is where a line that is too long ends: after the last blank that fits, or between two
// wide characters, or, in one long word, where it is full.
func breakAt(line string, width int) int {
	used, last := 0, 0
	for i, r := range line {
		wide := RuneColumns(r) == 2
		if i > 0 && wide && used <= width && !strings.ContainsRune(noBreakBefore, r) {
			last = i
		}
		if used += RuneColumns(r); used > width {
			if r == ' ' {
				return i
			}
			if last == 0 {
				return max(i, firstRune(line))
			}
			return last
		}
		if r == ' ' || wide && !opens(r) && !beforeStop(line[i:]) {
			last = i + utf8.RuneLen(r)
		}
	}
	return len(line)
}

func opens(r rune) bool { return strings.ContainsRune("（《「“", r) }

// beforeStop: what follows the first character of text must stay on its line.
func beforeStop(text string) bool {
	next, _ := utf8.DecodeRuneInString(text[firstRune(text):])
	return strings.ContainsRune(noBreakBefore, next)
}

func firstRune(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}
