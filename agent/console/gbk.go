package console

import (
	_ "embed"
	"slices"
	"sync"
	"unicode/utf8"
)

// gb2312 is the table of GB 2312-80, the heart of GBK: 87 rows of 94 characters, U+FFFD where there
// is none. 24 KB, where x/text's table of all of GBK takes several times that; a test checks ours
// against it. What is not in it is shown as a question mark.
//
//go:embed gb2312.txt
var gb2312 string

const (
	gbFirst   = 0xa1
	gbColumns = 94
	gbRows    = 87
)

// gbTable is made when the first Chinese character is wanted: 32 KB.
var gbTable = sync.OnceValue(func() []rune {
	all := make([]rune, 0, gbRows*gbColumns)
	for _, r := range gb2312 {
		if r != '\n' {
			all = append(all, r)
		}
	}
	return all
})

// fromGBK is the character of two bytes.
func fromGBK(lead, trail byte) (rune, bool) {
	row, column := int(lead)-gbFirst, int(trail)-gbFirst
	if row < 0 || row >= gbRows || column < 0 || column >= gbColumns {
		return 0, false
	}
	r := gbTable()[row*gbColumns+column]
	return r, r != utf8.RuneError
}

// toGBK is UTF-8 as GBK.
func toGBK(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		// A search of the table takes a fraction of the time the character takes on the line.
		at := slices.Index(gbTable(), r)
		if at < 0 || r == utf8.RuneError {
			out = append(out, '?')
			continue
		}
		out = append(out, byte(at/gbColumns+gbFirst), byte(at%gbColumns+gbFirst))
	}
	return out
}
