package console

import (
	"errors"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// Keys that mean something to us. The rest of the control characters is thrown away: a BREAK and a
// parity error arrive as zeroes, and terminal programs send all sorts of things by themselves.
const (
	keyEnd       = 0x05 // ^E
	keyEnter     = '\r'
	keyInterrupt = 0x03 // ^C
	keyEOF       = 0x04 // ^D
	keyTab       = '\t'
	keyErase     = 0x15 // ^U
	keyBack      = 0x08
	keyDelete    = 0x7f
	keyEscape    = 0x1b
)

// editing are the control characters that x/term's line editor understands.
const editing = "\x01\x02\x05\x06\x08\x09\x0b\x0c\x0e\x10\x14\x15\x17"

// partWait is how long the rest of a key may take: at 9600 baud bytes of one key are 1 ms apart,
// and a USB adapter adds 16.
const partWait = 200 * time.Millisecond

// sequenceMax bounds an escape sequence. The line editor keeps an unfinished one for ever, and with
// 256 bytes of it reads in a tight loop (x/term v0.47, readLine): it gets whole ones only.
const sequenceMax = 8

// sequences are what keys send, and what the line editor knows for it.
var sequences = map[string]string{
	"[A": "\x1b[A", "OA": "\x1b[A", "[B": "\x1b[B", "OB": "\x1b[B",
	"[C": "\x1b[C", "OC": "\x1b[C", "[D": "\x1b[D", "OD": "\x1b[D",
	"[H": "\x1b[H", "OH": "\x1b[H", "[1~": "\x1b[H", "[7~": "\x1b[H",
	"[F": "\x1b[F", "OF": "\x1b[F", "[4~": "\x1b[F", "[8~": "\x1b[F",
	"[3~": "\x1b[3~", "[1;3C": "\x1b[1;3C", "[1;3D": "\x1b[1;3D",
}

// keys makes whole keys of bytes: characters in UTF-8, control characters that mean something, and
// whole escape sequences. Nothing else gets through.
type keys struct {
	next    func(time.Duration) (byte, error)
	charset Charset
	afterCR bool // an LF that follows belongs to the CR
}

// read waits so long for a key. What is no key costs time, and gives nothing.
func (k *keys) read(wait time.Duration) ([]byte, error) {
	for end := time.Now().Add(wait); ; {
		b, err := k.next(max(0, time.Until(end)))
		if err != nil {
			return nil, err
		}
		key, err := k.key(b)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		if len(key) > 0 {
			return key, nil
		}
	}
}

// key is the key that begins with b; nil: it is none.
func (k *keys) key(b byte) ([]byte, error) {
	wasCR := k.afterCR
	k.afterCR = b == keyEnter
	switch {
	case b == '\n' && wasCR:
		return nil, nil
	case b == '\n', b == keyEnter:
		return []byte{keyEnter}, nil
	case b == keyEscape:
		return k.sequence()
	case b == keyInterrupt, b == keyEOF, b == keyDelete:
		return []byte{b}, nil
	case b < ' ':
		if strings.IndexByte(editing, b) >= 0 {
			return []byte{b}, nil
		}
		return nil, nil
	case b < 0x80:
		return []byte{b}, nil
	}
	return k.character(b)
}

// sequence reads an escape sequence to its end.
func (k *keys) sequence() ([]byte, error) {
	var seq []byte
	for len(seq) < sequenceMax {
		b, err := k.next(partWait)
		if err != nil {
			return nil, err // half of one: nothing
		}
		if b < ' ' || b > '~' {
			return nil, nil // noise
		}
		seq = append(seq, b)
		intro := len(seq) == 1 && (b == '[' || b == 'O')
		if !intro && b >= '@' {
			break
		}
	}
	return []byte(sequences[string(seq)]), nil
}

// character reads a character of several bytes.
func (k *keys) character(b byte) ([]byte, error) {
	if k.charset == GBK {
		trail, err := k.next(partWait)
		if err != nil {
			return nil, err
		}
		r, ok := fromGBK(b, trail)
		if !ok {
			return nil, nil
		}
		return utf8.AppendRune(nil, r), nil
	}
	part := []byte{b}
	for !utf8.FullRune(part) {
		b, err := k.next(partWait)
		if err != nil {
			return nil, err
		}
		if part = append(part, b); b&0xc0 != 0x80 {
			return nil, nil
		}
	}
	r, _ := utf8.DecodeRune(part)
	if r == utf8.RuneError || r < 0xa0 {
		return nil, nil
	}
	return part, nil
}
