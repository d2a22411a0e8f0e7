package relay

import (
	"encoding/binary"
	"hash/crc32"
)

// PayloadBytesMax is how much one frame carries. With four bad bytes in a thousand every second
// frame of this size arrives whole; of four times the size every tenth would (measured: a TLS
// handshake then takes minutes).
const PayloadBytesMax = 128

// headBytes and sumBytes are what a frame has beside its payload.
const (
	headBytes = 7
	sumBytes  = 4
)

// wireBytesMax is a frame of which every byte has to be escaped, and its two flags.
const wireBytesMax = 2*(headBytes+PayloadBytesMax+sumBytes) + 2

// The bytes that mean something outside of a frame (RFC 1662, section 4). XON and XOFF are escaped
// too, because some adapters and some cables eat them.
const (
	flag   = 0x7e
	escape = 0x7d
	mask   = 0x20
	xon    = 0x11
	xoff   = 0x13
)

// Kind says what a frame is for.
type Kind byte

// The kinds of frames.
const (
	// KindHello begins a session: the payload is a greeting.
	KindHello Kind = iota + 1
	// KindData carries a packet, or without a payload only the acknowledgement in its head.
	KindData
	// KindBye ends the session: the payload says why, for people.
	KindBye
)

// Frame is one note through the hatch. Every frame acknowledges, whatever else it does.
//
//	offset size field
//	0      1    kind
//	1      2    session: both ends' numbers together; frames of another are not believed
//	3      1    seq: the packet's number, modulo 256; of an empty data frame: the next one's
//	4      1    ack: the number that is expected next
//	5      1    early: bit i is set when packet ack+1+i has arrived already
//	6      1    room: how many packets from ack on will be taken
//	7      n    payload, 0 to 128 bytes
//	7+n    4    FCS-32 over all of the above (RFC 1662, appendix C), low byte first
type Frame struct {
	Kind    Kind
	Session uint16
	Seq     byte
	Ack     byte
	Early   byte
	Room    byte
	Payload []byte
}

// AppendFrame appends a frame to dst as it goes over the wire: flag, escaped bytes, checksum, flag.
// A payload longer than PayloadBytesMax is cut: the engine never makes one.
func AppendFrame(dst []byte, f Frame) []byte {
	var raw [headBytes + PayloadBytesMax + sumBytes]byte
	raw[0] = byte(f.Kind)
	binary.BigEndian.PutUint16(raw[1:], f.Session)
	raw[3], raw[4], raw[5], raw[6] = f.Seq, f.Ack, f.Early, f.Room
	n := headBytes + copy(raw[headBytes:headBytes+PayloadBytesMax], f.Payload)
	binary.LittleEndian.PutUint32(raw[n:], crc32.ChecksumIEEE(raw[:n]))
	dst = append(dst, flag)
	for _, b := range raw[:n+sumBytes] {
		switch b {
		case flag, escape, xon, xoff:
			dst = append(dst, escape, b^mask)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, flag)
}

// Decoder finds frames in what comes over the wire. The zero value is ready. It never holds more
// than one frame, and what is no frame costs nothing but the time to look at it.
type Decoder struct {
	Bad int // frames that were torn, too long or of no kind we know

	raw     [headBytes + PayloadBytesMax + sumBytes]byte
	n       int
	inside  bool // a flag has been seen
	escaped bool // the byte before was the escape
	spoiled bool // too long: nothing counts before the next flag
}

// Feed takes one byte. True comes with a whole frame; its payload is the caller's.
func (d *Decoder) Feed(b byte) (Frame, bool) {
	if b == flag {
		f, ok := d.finish()
		d.n, d.inside, d.escaped, d.spoiled = 0, true, false, false
		return f, ok
	}
	switch {
	case !d.inside || d.spoiled || b == xon || b == xoff:
		return Frame{}, false // an adapter put it in
	case b == escape:
		d.escaped = true
		return Frame{}, false
	case d.n == len(d.raw):
		d.spoiled = true
		return Frame{}, false
	case d.escaped:
		b ^= mask
		d.escaped = false
	}
	d.raw[d.n] = b
	d.n++
	return Frame{}, false
}

// finish is the frame that a flag has just ended. Flags may follow each other: then there is none.
func (d *Decoder) finish() (Frame, bool) {
	if d.n == 0 && !d.spoiled {
		return Frame{}, false
	}
	end := d.n - sumBytes
	whole := end >= headBytes && !d.spoiled && !d.escaped &&
		crc32.ChecksumIEEE(d.raw[:end]) == binary.LittleEndian.Uint32(d.raw[end:])
	kind := Kind(d.raw[0])
	if !whole || kind < KindHello || kind > KindBye {
		d.Bad++
		return Frame{}, false
	}
	f := Frame{
		Kind: kind, Session: binary.BigEndian.Uint16(d.raw[1:]), Seq: d.raw[3], Ack: d.raw[4],
		Early: d.raw[5], Room: d.raw[6],
	}
	if end > headBytes {
		f.Payload = append([]byte(nil), d.raw[headBytes:end]...)
	}
	return f, true
}
