package slip

import "strings"

// columns is how wide a printer prints text: Chinese characters and their punctuation take two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += wide(r)
	}
	return n
}

func wide(r rune) int {
	if r >= 0x1100 {
		return 2
	}
	return 1
}

// wrap breaks text into lines of at most width columns: at spaces, and between any two Chinese
// characters, but never before a punctuation mark.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, piece := range pieces(text) {
		n := columns(piece)
		if used > 0 && used+columns(strings.TrimRight(piece, " ")) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
		}
		for n > width && used == 0 { // a word longer than the paper is wide
			cut := cutAt(piece, width)
			lines = append(lines, piece[:cut])
			piece = piece[cut:]
			n = columns(piece)
		}
		line += piece
		used += n
	}
	if line != "" {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// cutAt is the byte after which a piece no longer fits.
func cutAt(piece string, width int) int {
	used := 0
	for i, r := range piece {
		if used += wide(r); used > width {
			return max(i, 1)
		}
	}
	return len(piece)
}

// pieces are what a line may not be broken in: a word with the spaces behind it, or one Chinese
// character with the punctuation behind it.
func pieces(text string) []string {
	var all []string
	start := 0
	var before rune
	for i, r := range text {
		ends := before == ' ' && r != ' ' || wide(before) == 2 || wide(r) == 2 && before != ' '
		if i > 0 && ends && !strings.ContainsRune(",。、:;!?", r) && !strings.ContainsRune(",.:;!?", r) {
			all = append(all, text[start:i])
			start = i
		}
		before = r
	}
	return append(all, text[start:])
}
