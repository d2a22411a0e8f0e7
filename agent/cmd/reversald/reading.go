package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"reversald/iso"
)

// input is what decode was given, before anybody knows what it is. Nothing here prints a byte of
// it: it may be a track.
type input struct {
	text     []byte
	argument bool // it came from the command line
}

// form is the byte strings that an input may stand for.
type form struct {
	pieces [][]byte // each has at least one message
	plain  bool     // the bytes as they are, and no hexadecimal
	err    error    // the input does not go on like that
}

// message is one message of the input, and what can be shown of it.
type message struct {
	at      int // of its first byte in the input
	body    []byte
	lines   []iso.Line
	problem *iso.Line // what is wrong with it; nil when it is whole
}

// reading is one way to understand the input.
type reading struct {
	profile  *iso.Profile
	form     form
	framed   bool
	messages []message
}

// probeMax is how many messages decide which reading is the best.
const probeMax = 32

// read finds the reading that makes the most sense: bytes or hexadecimal, with or without lengths,
// and with which of the profiles. Of equals the first is taken.
func (in input) read(profiles []*iso.Profile, framed bool) (reading, error) {
	var best reading
	forms := in.forms()
	for i, f := range forms {
		for _, p := range profiles {
			for _, lengths := range []bool{false, true} {
				r := readForm(p, f, lengths, probeMax)
				switch {
				case framed && !lengths:
				case f.plain && i > 0 && (in.argument || forms[0].err == nil) && r.whole() < 1:
					// What can be hexadecimal is that, unless it is a message as it stands.
				case best.profile == nil || r.better(best):
					best = r
				}
			}
		}
	}
	if in.argument && best.form.plain && best.whole() < 1 {
		return reading{}, toolError{
			errors.New("the argument is neither a file nor hexadecimal"), exitData,
			"give a file, - for standard input, or the message in hexadecimal",
		}
	}
	return readForm(best.profile, best.form, best.framed, len(in.text)), nil
}

// forms are what the input could be, the likelier first: hexadecimal as a whole, hexadecimal line
// by line, and the bytes as they are.
func (in input) forms() []form {
	var forms []form
	whole, err := unhex(in.text)
	if len(whole) > 0 {
		forms = append(forms, form{pieces: [][]byte{whole}, err: err})
		if lines := hexLines(in.text); len(lines) > 1 && err == nil {
			forms = append(forms, form{pieces: lines})
		}
	}
	if text := bytes.TrimRight(in.text, "\r\n"); len(text) > 0 && len(text) < len(in.text) {
		forms = append(forms, form{pieces: [][]byte{text}, plain: true}) // an editor did that
	}
	return append(forms, form{pieces: [][]byte{in.text}, plain: true})
}

// hexLines is every line of text as bytes of its own.
func hexLines(text []byte) [][]byte {
	var out [][]byte
	for _, line := range bytes.Split(text, []byte("\n")) {
		b, err := unhex(line)
		if err != nil {
			return nil
		}
		if len(b) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// unhex reads hexadecimal with blanks, commas, colons and 0x between bytes, and comments from # to
// the end of the line. On error it gives what came before.
func unhex(text []byte) ([]byte, error) {
	var b []byte
	high, half := byte(0), false
	for at := 0; at < len(text); at++ {
		c := text[at]
		digit, ok := hexDigit(c)
		switch {
		case c == '#' && !half:
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				return b, nil
			}
			at += end
		case c == '0' && !half && at+1 < len(text) && text[at+1]|0x20 == 'x':
			at++
		case ok && half:
			b, half = append(b, high<<4|digit), false
		case ok:
			high, half = digit, true
		case half || bytes.IndexByte([]byte(" \t\r\n,:"), c) < 0:
			return b, fmt.Errorf("character %d is no hexadecimal digit", at+1)
		}
	}
	if half {
		return b, errors.New("the hexadecimal ends in the middle of a byte")
	}
	return b, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// readForm reads at most most messages.
func readForm(p *iso.Profile, f form, framed bool, most int) reading {
	r := reading{profile: p, form: f, framed: framed}
	at := 0
	for _, piece := range f.pieces {
		if most <= len(r.messages) {
			break
		}
		r.messages = append(r.messages, readPiece(p, piece, at, framed, most-len(r.messages))...)
		at += len(piece)
	}
	return r
}

// readPiece reads one byte string that starts at byte at of the input: one message, or with
// lengths at least one.
func readPiece(p *iso.Profile, piece []byte, at int, framed bool, most int) []message {
	if !framed {
		return []message{look(p, piece, at)}
	}
	var out []message
	frames := p.NewFrameReader(bytes.NewReader(piece))
	empty, _ := p.AppendFrame(nil, nil) // the empty message always fits
	head, done := len(empty), 0
	for len(out) < most {
		body, err := frames.Next()
		if errors.Is(err, io.EOF) && len(out) > 0 {
			break
		}
		if err == nil {
			out = append(out, look(p, body, at+done+head))
			done += head + len(body)
			continue
		}
		rest := piece[min(done+head, len(piece)):]
		m := message{at: at + done, body: rest}
		if errors.Is(err, io.ErrUnexpectedEOF) && len(rest) > 0 {
			m = look(p, rest, at+done+head)
		}
		if m.problem == nil {
			m = m.failed(err)
		}
		return append(out, m)
	}
	return out
}

// failed is a message whose length in front is wrong.
func (m message) failed(err error) message {
	problem := err.Error()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		problem = "the length in front says that more follows"
	case errors.Is(err, io.EOF):
		problem = "there is nothing"
	}
	m.lines = append(m.lines, iso.Line{Field: -1, Name: "length in front", Problem: problem})
	m.problem = &m.lines[len(m.lines)-1]
	return m
}

// look takes a message apart.
func look(p *iso.Profile, body []byte, at int) message {
	m := message{at: at, body: body}
	if len(body) == 0 {
		return m
	}
	m.lines = p.Describe(body)
	for i := range m.lines {
		if m.lines[i].Problem != "" {
			m.problem = &m.lines[i]
			break
		}
	}
	return m
}

// better compares two readings: by how much of it is whole messages, then by whether it starts like
// one at all, then by fields that were read.
func (r reading) better(than reading) bool {
	mine, theirs := r.whole(), than.whole()
	if mine != theirs {
		return mine > theirs
	}
	if likely := r.likely(); likely != than.likely() {
		return likely
	}
	return r.fields() > than.fields()
}

// likely reports whether the first message type is of a version that ISO 8583 has: characters taken
// for packed digits are of version 3.
func (r reading) likely() bool {
	for _, m := range r.messages[:min(1, len(r.messages))] {
		for _, line := range m.lines {
			if line.Field == 0 && line.Value != "" {
				return strings.ContainsRune("01289", rune(line.Value[0]))
			}
		}
	}
	return false
}

// whole is how much of the bytes is in messages without a problem, 0 to 1.
func (r reading) whole() float64 {
	if r.form.err != nil {
		return 0
	}
	good, all := 0, 0
	for _, m := range r.messages {
		size := max(1, len(m.body)) // a keepalive counts too
		all += size
		if m.problem == nil {
			good += size
		}
	}
	return float64(good) / float64(max(all, 1))
}

// fields is how many lines were read before the first problem.
func (r reading) fields() int {
	n := 0
	for _, m := range r.messages {
		if m.problem != nil {
			return n + len(m.lines) - 1
		}
		n += len(m.lines)
	}
	return n
}

// shownMessage is a message in JSON.
type shownMessage struct {
	Message    int         `json:"message"` // from 1
	At         int         `json:"at"`      // of its first byte in the input
	Bytes      int         `json:"bytes"`   // without the length in front
	Framed     bool        `json:"framed"`  // its length is in front of it
	Profile    string      `json:"profile"`
	Class      string      `json:"class,omitempty"`
	Key        string      `json:"key,omitempty"`
	Original   string      `json:"original_key,omitempty"`
	Reversible bool        `json:"reversible"`
	Fields     []shownLine `json:"fields"`
	Whole      bool        `json:"whole"`
}

// shownLine is one field of it; offsets are in the message.
type shownLine struct {
	Offset  int    `json:"offset"`
	Field   int    `json:"field"` // 0 message type, 1 bitmap, -1 header and what is no field
	Name    string `json:"name"`
	Value   string `json:"value"`
	Problem string `json:"problem,omitempty"`
}

// shown is message i for programs.
func (r reading) shown(i int) shownMessage {
	m := r.messages[i]
	out := shownMessage{
		Message: i + 1, At: m.at, Bytes: len(m.body), Framed: r.framed, Profile: r.profile.Name(),
		Fields: []shownLine{}, Whole: m.problem == nil,
	}
	if g, err := r.profile.Glance(m.body); err == nil && m.problem == nil {
		out.Class, out.Key, out.Original = g.Class.String(), g.Key, g.OriginalKey
		out.Reversible = g.Reversible
	}
	for _, line := range m.lines {
		out.Fields = append(out.Fields, shownLine{
			line.Offset, line.Field, line.Name, line.Value, line.Problem,
		})
	}
	return out
}
