package iso

import "math/bits"

// span is where one field's value stands in a body, and how many units it has. Bodies are at most
// 65535 bytes, so the spans of a whole message fit in under a kilobyte of stack.
type span struct {
	at, end uint16 // of the value, without the length in front
	count   uint16
}

// walk is a message laid out: where everything is, and nothing decoded. It lives on the stack of
// whoever looks; the spans of absent fields mean nothing.
type walk struct {
	body    []byte
	header  int       // bytes of header in front of the message type
	mti     [4]byte   // as digits
	present [2]uint64 // bit 63 of [0] is field 1, bit 63 of [1] is field 65
	double  bool      // there is a secondary bitmap, perhaps an empty one
	fields  [fieldMax + 1]span
	at      int // how far we came
	last    int // the field we came to
}

// has reports whether the message carries field n.
func (w *walk) has(n int) bool {
	return w.present[(n-1)/64]>>(63-(n-1)%64)&1 == 1
}

// fail says where a message stopped making sense.
func (w *walk) fail(field int, problem string) error {
	return &FieldError{Field: field, Offset: w.at, Problem: problem}
}

// walk finds every field of body. On error w holds what was found before.
func (p *Profile) walk(body []byte, w *walk) error {
	w.body, w.header = body, len(p.header)
	switch {
	case len(body) == 0:
		return w.fail(partHeader, "is empty, a keepalive")
	case len(body) > p.frameMax:
		return w.fail(partHeader, "is longer than the profile allows")
	case len(body) < w.header:
		return w.fail(partHeader, "ends inside the header")
	}
	w.at = w.header
	if err := p.walkStart(w); err != nil {
		return err
	}
	for half := range w.present {
		for rest := w.present[half]; rest != 0; {
			lead := bits.LeadingZeros64(rest)
			rest &^= 1 << (63 - lead)
			if n := half*64 + lead + 1; n != partBitmap {
				if err := p.walkField(w, n); err != nil {
					return err
				}
			}
		}
	}
	if w.at != len(body) {
		w.last = fieldMax + 1 // every field was read
		return w.fail(partHeader, "has bytes after the last field")
	}
	return nil
}

// walkStart reads message type and bitmaps.
func (p *Profile) walkStart(w *walk) error {
	size := 4
	if p.enc.mti == packBCD {
		size = 2
	}
	if len(w.body)-w.at < size {
		return w.fail(partMTI, "is cut short")
	}
	mti := w.body[w.at : w.at+size]
	for i := range w.mti {
		c := mti[i*size/4]
		if size == 2 {
			c = '0' + c>>(4-4*(i%2))&15
		}
		if c < '0' || c > '9' {
			return w.fail(partMTI, "is not four digits")
		}
		w.mti[i] = c
	}
	w.at += size
	w.last = partBitmap
	for half := range w.present {
		if err := p.walkBitmap(w, half); err != nil {
			return err
		}
		if w.present[0]>>63 == 0 {
			return nil
		}
		w.double = true
	}
	if w.present[1]>>63 == 1 {
		w.present = [2]uint64{}
		return w.fail(partBitmap, "announces a third bitmap, which no host here has")
	}
	return nil
}

// walkBitmap reads one bitmap of 64 bits.
func (p *Profile) walkBitmap(w *walk, half int) error {
	size := 8
	if p.enc.bitmap == packHex {
		size = 16
	}
	if len(w.body)-w.at < size {
		w.present = [2]uint64{}
		return w.fail(partBitmap, "is cut short")
	}
	var set uint64
	for i, c := range w.body[w.at : w.at+size] {
		if size == 8 {
			set = set<<8 | uint64(c)
			continue
		}
		v, ok := hexValue(c)
		if !ok {
			w.at += i
			w.present = [2]uint64{}
			return w.fail(partBitmap, "is not hexadecimal")
		}
		set = set<<4 | uint64(v)
	}
	w.present[half] = set
	w.at += size
	return nil
}

// walkField finds field n, which the bitmap announces next.
func (p *Profile) walkField(w *walk, n int) error {
	w.last = n
	e := &p.elements[n]
	left := len(w.body) - w.at
	if e.kind == 0 {
		return w.fail(n, "is not in the profile")
	}
	count, head := e.count, 0
	if e.digits > 0 {
		if head = e.prefixLen(); left < head {
			return w.fail(n, "is cut short in its length")
		}
		var ok bool
		if count, ok = e.prefix(w.body[w.at : w.at+head]); !ok {
			return w.fail(n, "has a length that is not digits")
		}
		if count > e.count {
			return w.fail(n, "is longer than the profile allows")
		}
	}
	size := e.wireLen(count)
	if left-head < size {
		return w.fail(n, "is cut short")
	}
	at := w.at + head
	w.fields[n] = span{at: uint16(at), end: uint16(at + size), count: uint16(count)}
	w.at = at + size
	return nil
}

// problemContents is the problem of a field whose bytes are not of its kind.
const problemContents = "has bytes that this kind of field cannot have"

// appendField appends the value of field n, which must be there.
func (p *Profile) appendField(dst []byte, w *walk, n int) ([]byte, error) {
	s, e := w.fields[n], &p.elements[n]
	dst, ok := e.appendValue(dst, w.body[s.at:s.end], int(s.count))
	if !ok {
		return dst, p.failAt(w, n, problemContents)
	}
	return dst, nil
}

// contents checks that every field holds what its kind can hold. A message whose bitmap lies may
// walk to its end all the same, and have a piece of the card number where an amount should be.
func (p *Profile) contents(w *walk) error {
	var room [256]byte
	for half := range w.present {
		for rest := w.present[half]; rest != 0; {
			lead := bits.LeadingZeros64(rest)
			rest &^= 1 << (63 - lead)
			if n := half*64 + lead + 1; n != partBitmap {
				if _, err := p.appendField(room[:0], w, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// value is the value of field n, "" when it is not there.
func (p *Profile) value(w *walk, n int) (string, error) {
	if !w.has(n) {
		return "", nil
	}
	v, err := p.appendField(make([]byte, 0, 64), w, n)
	return string(v), err
}

// hexValue is the value of one hexadecimal digit.
func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
