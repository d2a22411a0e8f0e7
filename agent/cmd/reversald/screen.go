package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// noWidth is the width of a pipe: nothing is wrapped, so that programs find whole lines in it.
const noWidth = 1 << 20

// isTerminal says whether somebody looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	return term.IsTerminal(int(f.Fd()))
}

// screenSize is what COLUMNS and LINES say, or else the screen itself. 0 is not known.
func screenSize(w io.Writer, tty bool) (width, height int) {
	width, height = sizeIn("COLUMNS"), sizeIn("LINES")
	if !tty {
		if width == 0 {
			width = noWidth
		}
		return width, height
	}
	if f, ok := w.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
			if width == 0 {
				width = columns
			}
			if height == 0 {
				height = rows
			}
		}
	}
	return width, height
}

// sizeIn reads a size from the environment; what is none counts as not said.
func sizeIn(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil || n < 20 || n > noWidth {
		return 0
	}
	return n
}
