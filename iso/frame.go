package iso

import (
	"errors"
	"fmt"
	"io"
)

// framing says how a message is told apart from the next one on a stream.
type framing struct {
	length    lengthKind
	inclusive bool // the length counts its own bytes too
}

// lengthKind is the form of the length in front of every message.
type lengthKind uint8

const (
	lengthBinary2 lengthKind = iota + 1 // 2 bytes, big endian
	lengthASCII4                        // 4 ASCII digits
	lengthBCD2                          // 2 bytes, 4 decimal digits
)

// frameNoProgressMax is how many reads may bring nothing and no error before we stop asking.
const frameNoProgressMax = 100

// errFrameNotDigits is the reason in a FrameError whose length was not a number.
var errFrameNotDigits = errors.New("length is not made of digits")

// FrameError is a length that cannot be right: the stream is out of step and must be closed,
// because where the next message starts is not known any more.
type FrameError struct {
	Length int   // what the length said, in bytes of body; -1 when it was not a number
	Max    int   // the most the profile allows
	Err    error // why, when it is not the size
}

// Error says what is wrong with the length, without showing a byte of the stream.
func (e *FrameError) Error() string {
	switch {
	case e.Err != nil:
		return "frame: " + e.Err.Error()
	case e.Length < 0:
		return "frame: length is shorter than itself"
	}
	return fmt.Sprintf("frame: length %d is over the limit of %d bytes", e.Length, e.Max)
}

// Unwrap gives the reason, if there is one besides the size.
func (e *FrameError) Unwrap() error { return e.Err }

// size is how many bytes the length itself takes.
func (f framing) size() int {
	if f.length == lengthASCII4 {
		return 4
	}
	return 2
}

// max is the longest body the length can announce.
func (f framing) max() int {
	most := 9999
	if f.length == lengthBinary2 {
		most = 0xFFFF
	}
	if f.inclusive {
		most -= f.size()
	}
	return most
}

// read turns the bytes of a length into the length of the body that follows.
func (f framing) read(b []byte) (int, error) {
	n := 0
	switch f.length {
	case lengthBinary2:
		n = int(b[0])<<8 | int(b[1])
	case lengthASCII4:
		for _, c := range b[:4] {
			if c < '0' || c > '9' {
				return -1, errFrameNotDigits
			}
			n = n*10 + int(c-'0')
		}
	case lengthBCD2:
		for _, c := range b[:2] {
			if c>>4 > 9 || c&15 > 9 {
				return -1, errFrameNotDigits
			}
			n = n*100 + int(c>>4)*10 + int(c&15)
		}
	}
	if f.inclusive && n > 0 {
		n -= f.size() // below zero: the length did not even count itself
	}
	return n, nil
}

// append writes the length for a body of n bytes; n is at most max.
func (f framing) append(dst []byte, n int) []byte {
	if f.inclusive {
		n += f.size()
	}
	switch f.length {
	case lengthASCII4:
		return append(dst,
			byte('0'+n/1000%10), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	case lengthBCD2:
		return append(dst, byte(n/1000%10<<4|n/100%10), byte(n/10%10<<4|n%10))
	case lengthBinary2:
	}
	return append(dst, byte(n>>8), byte(n))
}

// PackedFrames is the same dialect with its frames behind two bytes of packed decimal length
// (bcd2), as the envelopes of serial lines carry them, whatever the profile's own framing is.
func (p *Profile) PackedFrames() *Profile {
	q := *p
	q.framing = framing{length: lengthBCD2}
	q.frameMax = min(p.frameMax, q.framing.max())
	return &q
}

// AppendFrame appends the length and the body to dst. An empty body is a keepalive. A body longer
// than FrameMax is a *FrameError and dst is returned as it was.
func (p *Profile) AppendFrame(dst, body []byte) ([]byte, error) {
	if len(body) > p.frameMax {
		return dst, &FrameError{Length: len(body), Max: p.frameMax}
	}
	return append(p.framing.append(dst, len(body)), body...), nil
}

// FrameReader takes messages off a stream one at a time. It is for one goroutine.
type FrameReader struct {
	r       io.Reader
	framing framing
	max     int
	buf     []byte // read and not handed out yet: the start of a frame
	broken  error  // a FrameError is for ever: nothing after it can be trusted
}

// NewFrameReader reads frames from r in the profile's framing.
func (p *Profile) NewFrameReader(r io.Reader) *FrameReader {
	return &FrameReader{r: r, framing: p.framing, max: p.frameMax}
}

// Next returns the body of the next frame: header and message without the length, freshly
// allocated. An empty body is a keepalive. At the end of the stream the error is io.EOF between
// frames and io.ErrUnexpectedEOF inside one. A *FrameError is final. Any other error comes from
// the reader, and after one that passes (a deadline) Next may be called again: what had arrived
// is kept.
func (fr *FrameReader) Next() ([]byte, error) {
	if fr.broken != nil {
		return nil, fr.broken
	}
	head := fr.framing.size()
	if err := fr.fill(head); err != nil {
		return nil, err
	}
	n, err := fr.framing.read(fr.buf)
	if err != nil || n < 0 || n > fr.max {
		fr.broken = &FrameError{Length: n, Max: fr.max, Err: err}
		clear(fr.buf)
		return nil, fr.broken
	}
	if err := fr.fill(head + n); err != nil {
		return nil, err
	}
	body := append(make([]byte, 0, n), fr.buf[head:head+n]...)
	// The buffer lives as long as the connection; a track must not.
	rest := copy(fr.buf, fr.buf[head+n:])
	clear(fr.buf[rest:])
	fr.buf = fr.buf[:rest]
	return body, nil
}

// Buffered is how many bytes of a frame that is not complete yet have arrived.
func (fr *FrameReader) Buffered() int { return len(fr.buf) }

// fill reads until n bytes are buffered.
func (fr *FrameReader) fill(n int) error {
	if cap(fr.buf) < n {
		grown := make([]byte, len(fr.buf), max(n, 512))
		copy(grown, fr.buf)
		clear(fr.buf)
		fr.buf = grown
	}
	for idle := 0; len(fr.buf) < n; {
		got, err := fr.r.Read(fr.buf[len(fr.buf):cap(fr.buf)])
		fr.buf = fr.buf[:len(fr.buf)+got]
		switch {
		case len(fr.buf) >= n:
			return nil // an error that came along will come again
		case err == io.EOF && len(fr.buf) > 0:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case got == 0:
			if idle++; idle >= frameNoProgressMax {
				return io.ErrNoProgress
			}
		default:
			idle = 0
		}
	}
	return nil
}
