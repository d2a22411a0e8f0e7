package iso

import (
	"slices"
	"strconv"
)

// MAC is how messages of this host are authenticated: what is covered, where the code goes, which
// answers must have one. The code itself is made by whoever owns the keys. Messages are kept as
// fields, so that a code is made at each sending, with the key of that moment.
type MAC struct{ p *Profile }

// MAC is the profile's.
func (p *Profile) MAC() MAC { return MAC{p} }

// macRule is the section mac. The zero rule is: none.
type macRule struct {
	algorithm string
	field     int // 64 or 128; 0: the last one, 128 once there is a field above 64
	size      int // bytes of it that are the code; the rest are zeros
	on        [ClassOther + 1]bool
	cover     coverage
	fields    []int // for coverFields; partMTI and partBitmap among them
	noRepeat  bool  // the repeat bit of the message type is taken for zero
	answers   answersMAC
	codes     []string // for answersListed
}

// coverage is what a code is made over.
type coverage uint8

const (
	coverMessage coverage = iota + 1 // message type to the last byte before the code
	coverAll                         // the header too
	coverFields                      // some fields
)

// answersMAC says which answers must carry a code.
type answersMAC uint8

const (
	answersNone answersMAC = iota + 1
	answersApproved
	answersAll
	answersListed
)

// macAlgorithms are the names of the algorithms, and how many bytes at most each of them gives.
var macAlgorithms = map[string]int{
	"none": 0, "unionpay-ecb": 8, "unionpay-sm4": 8, "x9.9": 8, "x9.19": 8, "aes-cmac": 16,
}

// None reports whether this host's messages carry no code.
func (m MAC) None() bool { return m.p.mac.algorithm == "" || m.p.mac.algorithm == "none" }

// Algorithm is the name of the algorithm: unionpay-ecb, unionpay-sm4, x9.9, x9.19, aes-cmac or
// none.
func (m MAC) Algorithm() string {
	if m.None() {
		return "none"
	}
	return m.p.mac.algorithm
}

// Sends reports whether our own messages of class c carry a code. An answer of ours carries one if
// its question does; see AnswerFrom.
func (m MAC) Sends(c Class) bool {
	return !m.None() && int(c) < len(m.p.mac.on) && m.p.mac.on[c]
}

// Needs reports whether an answer must carry a code: without it, it is no answer. What carries one
// is checked whether it must or not.
func (m MAC) Needs(answer Glance) bool {
	if m.None() || answer.Class.Question() {
		return false
	}
	if q := answer.Class.question(); !m.p.mac.on[q] {
		return false
	}
	switch m.p.mac.answers {
	case answersAll:
		return true
	case answersApproved:
		return m.p.Outcome(answer.Code) == OutcomeApproved
	case answersListed:
		return slices.Contains(m.p.mac.codes, answer.Code)
	case answersNone:
	}
	return false
}

// question is the class that c answers; c itself when it is a question.
func (c Class) question() Class {
	for _, q := range questionClasses {
		if c.Answers(q) {
			return q
		}
	}
	return c
}

// at finds the code of a message.
func (m MAC) at(body []byte, w *walk) (int, error) {
	if m.None() {
		return 0, composing(partHeader, "has no authentication code in this profile")
	}
	if err := m.p.walk(body, w); err != nil {
		return 0, err
	}
	n := m.p.mac.field
	if n == 0 {
		n = 64
		if w.double {
			n = 128
		}
	}
	if !w.has(n) {
		return 0, w.fail(n, "is missing, the authentication code")
	}
	return n, nil
}

// Cover is what the code of a message is made over; the message has room for it already. The bytes
// are a copy.
func (m MAC) Cover(body []byte) ([]byte, error) {
	var w walk
	n, err := m.at(body, &w)
	if err != nil {
		return nil, err
	}
	rule := &m.p.mac
	mti := w.header
	mtiEnd := mti + m.p.mtiLen()
	var data []byte
	switch rule.cover {
	case coverMessage:
		data = slices.Clone(body[w.header:w.fields[n].at])
		mti = 0
	case coverAll:
		data = slices.Clone(body[:w.fields[n].at])
	case coverFields:
		mti = -1
		for _, f := range rule.fields {
			switch {
			case f == partMTI:
				mti = len(data)
				data = append(data, body[w.header:mtiEnd]...)
			case f == partBitmap:
				size := m.p.bitmapLen()
				if w.double {
					size *= 2
				}
				data = append(data, body[mtiEnd:mtiEnd+size]...)
			case w.has(f):
				start := int(w.fields[f].at) - m.p.elements[f].prefixLen()
				data = append(data, body[start:w.fields[f].end]...)
			}
		}
	}
	if rule.noRepeat && mti >= 0 {
		// The lowest bit of the last digit, packed (0421) and printed ('1') alike.
		data[mti+m.p.mtiLen()-1] &^= 1
	}
	return data, nil
}

// Place is the message with its code put in. The argument is not changed.
func (m MAC) Place(body, mac []byte) ([]byte, error) {
	var w walk
	n, err := m.at(body, &w)
	if err != nil {
		return nil, err
	}
	if len(mac) < m.p.mac.size {
		return nil, composing(n, "wants a code of "+strconv.Itoa(m.p.mac.size)+" bytes")
	}
	e, s := &m.p.elements[n], w.fields[n]
	field := make([]byte, e.count)
	copy(field, mac[:m.p.mac.size])
	if e.packing == packHex {
		field = appendHex(nil, field)
	}
	out := slices.Clone(body)
	copy(out[s.at:s.end], field)
	return out, nil
}

// Of is the code that a message carries, as many bytes of it as count; false when there is none.
func (m MAC) Of(body []byte) (mac []byte, present bool) {
	var w walk
	n, err := m.at(body, &w)
	if err != nil {
		return nil, false
	}
	raw := m.p.rawBytes(&w, n)
	if len(raw) < m.p.mac.size {
		return nil, false
	}
	return slices.Clone(raw[:m.p.mac.size]), true
}

// mtiLen is how many bytes the message type takes.
func (p *Profile) mtiLen() int {
	if p.enc.mti == packBCD {
		return 2
	}
	return 4
}

// roomForMAC adds the field of the code to a message of ours, if its class carries one.
func (p *Profile) roomForMAC(fields map[int]string, c Class) {
	if m := p.MAC(); m.Sends(c) {
		m.Room(fields)
	}
}

// Room adds the field of the code to the fields of a message, all zeros: Place fills it.
func (m MAC) Room(fields map[int]string) {
	p := m.p
	if m.None() {
		return
	}
	n := p.mac.field
	if n == 0 {
		n = 64
		for f := range fields {
			if f > 64 {
				n = 128
			}
		}
	}
	room := make([]byte, 2*p.elements[n].count)
	for i := range room {
		room[i] = '0'
	}
	fields[n] = string(room)
}

// bitmapLen is how many bytes one bitmap takes.
func (p *Profile) bitmapLen() int {
	if p.enc.bitmap == packHex {
		return 16
	}
	return 8
}
