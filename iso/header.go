package iso

import (
	"bytes"
	"encoding/hex"

	"go.yaml.in/yaml/v3"
)

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
	// headerUnionPay is 6 bytes: class of application, version, a half byte each for the state of
	// the terminal and for what the host wants of it, and three of sub-version.
	headerUnionPay
	// headerLiteral is bytes that are always the same.
	headerLiteral
)

const (
	tpduLen          = 5
	unionPayLen      = 6
	unionPayRequest  = 2  // the byte whose lower half is the request
	headerLiteralMax = 64 // bytes; Visa's longest has 26
)

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
		case headerUnionPay, headerLiteral:
		}
	}
	return out
}

// HeaderRequest is what the host wants of the terminal by the header of its message (UnionPay: 0
// nothing, 1 parameters, 3 sign on again, 4 keys of card schemes …); false when the header has no
// place for it.
func (p *Profile) HeaderRequest(body []byte) (request int, ok bool) {
	for _, part := range p.headerParts {
		if part.kind == headerUnionPay && len(body) >= len(p.header) {
			return int(body[part.at+unionPayRequest] & 15), true
		}
	}
	return 0, false
}

// SetHeaderRequest is a header that makes such a request; without a place for it, the header as
// it was. The argument is not changed.
func (p *Profile) SetHeaderRequest(header []byte, request int) []byte {
	out := bytes.Clone(header)
	for _, part := range p.headerParts {
		if part.kind == headerUnionPay && len(out) == len(p.header) {
			b := &out[part.at+unionPayRequest]
			*b = *b&0xF0 | byte(request&15)
		}
	}
	return out
}

func (w *draft) readHeader(n *yaml.Node) {
	part := func(kind headerKind, least, most int, wants string) func(n *yaml.Node) {
		return func(n *yaml.Node) {
			text, ok := w.text(n)
			b, err := hex.DecodeString(text)
			if ok && (err != nil || len(b) < least || len(b) > most) {
				w.fault(n, "%s", wants)
				return
			}
			w.headerParts = append(w.headerParts, headerPart{kind: kind, at: len(w.header)})
			w.header = append(w.header, b...)
		}
	}
	w.list(n, func(item *yaml.Node) {
		w.table(item, keys{
			"tpdu": part(headerTPDU, tpduLen, tpduLen, "a TPDU is 5 bytes, such as 6000030000"),
			"unionpay": part(headerUnionPay, unionPayLen, unionPayLen,
				"a UnionPay header is 6 bytes, such as 602200000000"),
			"literal": part(headerLiteral, 1, headerLiteralMax,
				"literal is 1 to 64 bytes in hexadecimal"),
		})
	})
}
