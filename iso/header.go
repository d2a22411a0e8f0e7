package iso

import "bytes"

// headerPart is one piece of what stands between the length and the message type.
type headerPart struct {
	kind headerKind
	at   int // in the header
}

// headerKind is what a part is.
type headerKind uint8

const (
	// headerTPDU is 5 bytes: a type, two of destination, two of source. The answer goes back with
	// the addresses swapped.
	headerTPDU headerKind = iota + 1
)

// tpduLen is how long a TPDU is.
const tpduLen = 5

// AnswerHeader is the header of the answer to a message with header: the same with its addresses
// swapped. The argument is not changed.
func (p *Profile) AnswerHeader(header []byte) []byte {
	out := bytes.Clone(header)
	if len(out) != len(p.header) {
		return out // not a header of this profile: nothing in it has a known place
	}
	for _, part := range p.headerParts {
		switch part.kind {
		case headerTPDU:
			h := out[part.at:]
			h[1], h[2], h[3], h[4] = h[3], h[4], h[1], h[2]
		}
	}
	return out
}
