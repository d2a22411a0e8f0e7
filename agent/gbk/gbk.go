// Package gbk turns the Chinese of old terminals and slip printers into UTF-8 and back.
package gbk

import (
	_ "embed"
	"slices"
	"sync"
	"unicode/utf8"
)

// table is that of GB 2312-80, the heart of GBK: 87 rows of 94 characters, U+FFFD where there
// is none. 24 KB, where x/text's table of all of GBK takes several times that; a test checks ours
// against it. What is not in it is shown as a question mark.
//
//go:embed gb2312.txt
var table string

const (
	first   = 0xa1
	columns = 94
	rows    = 87
)

// characters is made when the first Chinese character is wanted: 32 KB.
var characters = sync.OnceValue(func() []rune {
	all := make([]rune, 0, rows*columns)
	for _, r := range table {
		if r != '\n' {
			all = append(all, r)
		}
	}
	return all
})

// Rune is the character of two bytes; false where the table has none.
func Rune(lead, trail byte) (rune, bool) {
	row, column := int(lead)-first, int(trail)-first
	if row < 0 || row >= rows || column < 0 || column >= columns {
		return 0, false
	}
	r := characters()[row*columns+column]
	return r, r != utf8.RuneError
}

// Encode is UTF-8 as GBK; what GB 2312 lacks is a question mark.
func Encode(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		// A search of the table takes a fraction of the time the character takes on the line.
		at := slices.Index(characters(), r)
		if at < 0 || r == utf8.RuneError {
			out = append(out, '?')
			continue
		}
		out = append(out, byte(at/columns+first), byte(at%columns+first))
	}
	return out
}
