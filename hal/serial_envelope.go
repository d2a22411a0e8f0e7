package hal

// The characters of the dialogue, as ASCII has them.
const (
	charSTX = 0x02
	charETX = 0x03
	charEOT = 0x04
	charENQ = 0x05
	charACK = 0x06
	charNAK = 0x15
)

// wrap puts a frame, its packed length included, into an envelope.
func wrap(frame []byte) []byte {
	out := append(make([]byte, 0, len(frame)+3), charSTX)
	out = append(append(out, frame...), charETX)
	return append(out, lrc(out[1:]))
}

func lrc(b []byte) (sum byte) {
	for _, c := range b {
		sum ^= c
	}
	return sum
}

// packedLength reads two bytes of packed decimal digits.
func packedLength(b []byte) (int, bool) {
	n := 0
	for _, c := range b[:2] {
		if c>>4 > 9 || c&15 > 9 {
			return 0, false
		}
		n = n*100 + int(c>>4)*10 + int(c&15)
	}
	return n, true
}

// isFrame tells whether b is one whole frame: a packed length and as many bytes.
func isFrame(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	n, ok := packedLength(b)
	return ok && n == len(b)-2
}

// envelope takes what comes over a line apart. It touches nothing and keeps one frame at most.
type envelope struct {
	frame []byte // after STX, as far as it has come
	open  bool   // STX has come
}

// letter is what the bytes of a line add up to.
type letter struct {
	kind  letterKind
	frame []byte // of letterFrame
}

type letterKind uint8

const (
	letterFrame  letterKind = iota + 1 // a whole frame, length included
	letterBroken                       // a frame whose length, ETX or LRC is wrong
	letterENQ
	letterACK
	letterNAK
)

// take adds one byte; false means that it completes nothing. Between frames everything but the
// characters of the dialogue is noise.
func (e *envelope) take(c byte) (letter, bool) {
	if !e.open {
		switch c {
		case charSTX:
			e.open, e.frame = true, e.frame[:0]
		case charENQ:
			return letter{kind: letterENQ}, true
		case charACK:
			return letter{kind: letterACK}, true
		case charNAK:
			return letter{kind: letterNAK}, true
		}
		return letter{}, false
	}
	e.frame = append(e.frame, c)
	if len(e.frame) < 2 {
		return letter{}, false
	}
	n, ok := packedLength(e.frame)
	if !ok {
		return e.close(letter{kind: letterBroken})
	}
	whole := 2 + n + 2 // ETX and LRC
	if len(e.frame) < whole {
		return letter{}, false
	}
	if e.frame[whole-2] != charETX || e.frame[whole-1] != lrc(e.frame[:whole-1]) {
		return e.close(letter{kind: letterBroken})
	}
	return e.close(letter{kind: letterFrame, frame: append([]byte(nil), e.frame[:whole-2]...)})
}

// close ends a frame. What was in it is forgotten: a track may have been.
func (e *envelope) close(l letter) (letter, bool) {
	clear(e.frame)
	e.open, e.frame = false, e.frame[:0]
	return l, true
}
