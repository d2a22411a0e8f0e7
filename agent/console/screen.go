package console

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"reversald/agent/gbk"
)

// Charset is how characters go over the cable.
type Charset uint8

// The charsets. The zero Charset is UTF-8.
const (
	UTF8 Charset = iota
	GBK          // what Chinese Windows programs expect; of it we have GB 2312
)

// ParseCharset reads the configuration's word.
func ParseCharset(name string) (Charset, error) {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return UTF8, nil
	case "gbk", "gb2312":
		return GBK, nil
	}
	return UTF8, fmt.Errorf("%q is no encoding: utf-8 or gbk", name)
}

// pieceBytes is what is given to the port at once: at 9600 baud a quarter of a second.
const pieceBytes = 256

// screen writes to the port. Every write has the port's own limit; one that fails is the last.
type screen struct {
	port    io.Writer
	charset Charset
	guard   *echoGuard
	err     error
}

// Write implements io.Writer for the line editor: what people type, and the prompt around it.
func (s *screen) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	out := p
	if s.charset == GBK {
		out = gbk.Encode(p)
	}
	for len(out) > 0 {
		n := min(pieceBytes, len(out))
		if _, err := s.port.Write(out[:n]); err != nil {
			s.err = fmt.Errorf("the laptop takes no bytes: %w", err)
			return 0, s.err
		}
		out = out[n:]
	}
	return len(p), nil
}

// raw writes bytes as they are: a file transfer's.
func (s *screen) raw(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.port.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// say writes our own words, lines ended as serial terminals want them.
func (s *screen) say(text string) error {
	s.guard.say(text)
	_, err := s.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	return err
}

// rowsOf is how many rows of the screen a line takes.
func rowsOf(line string, width int) int {
	columns := 0
	for _, r := range line {
		if columns++; r >= 0x1100 {
			columns++ // East Asian characters are two wide
		}
	}
	if width <= 0 || columns <= width {
		return 1
	}
	return (columns + width - 1) / width
}

// clean bounds a text of people for the journal.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	for len(text) > most {
		_, n := utf8.DecodeLastRuneInString(text[:most+1])
		text = text[:most+1-n]
	}
	return text
}
