package iso

import (
	"bytes"
	"strconv"
	"strings"
)

// keySeparator stands between the values of a match key; a value cannot contain it unescaped.
const keySeparator = '/'

// appendKey appends the match key of a message of class c: the profile's fields for that class,
// "TERM0001/000123". Trailing spaces do not count, and what is not printable is written %XX, so a
// key may stand in a log line. For payments and reversals every match field must be there.
func (p *Profile) appendKey(dst []byte, w *walk, c Class) ([]byte, error) {
	fields := p.matchFields(c)
	needed := c != ClassOther && c != ClassOtherAnswer
	for i, n := range fields {
		if i > 0 {
			dst = append(dst, keySeparator)
		}
		var err error
		if dst, err = p.appendKeyField(dst, w, n, needed); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendOriginalKey appends the key of the payment that a reversal takes back: the same fields,
// with trace number and time out of the links that the reversal has.
func (p *Profile) appendOriginalKey(dst []byte, w *walk) ([]byte, error) {
	told, err := p.linksOf(w)
	if err != nil {
		return dst, err
	}
	for i, n := range p.match[ClassPayment] {
		if i > 0 {
			dst = append(dst, keySeparator)
		}
		if v := told.part(n); v != "" {
			dst = append(dst, v...)
			continue
		}
		if dst, err = p.appendKeyField(dst, w, n, true); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendKeyField appends one value of a key.
func (p *Profile) appendKeyField(dst []byte, w *walk, n int, needed bool) ([]byte, error) {
	if !w.has(n) {
		if needed {
			return dst, w.fail(n, "is missing, and the match key needs it")
		}
		return dst, nil
	}
	start := len(dst)
	dst, err := p.appendField(dst, w, n)
	if err != nil {
		return dst, err
	}
	dst = append(dst[:start], bytes.TrimRight(dst[start:], " ")...)
	for _, c := range dst[start:] {
		if c <= ' ' || c > '~' || c == '%' || c == keySeparator {
			return appendEscaped(dst[:start], bytes.Clone(dst[start:])), nil
		}
	}
	return dst, nil
}

// appendEscaped appends v with everything that must not stand in a key as %XX.
func appendEscaped(dst, v []byte) []byte {
	for _, c := range v {
		if c <= ' ' || c > '~' || c == '%' || c == keySeparator {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// AnyAmount tells whether an answer may be over another amount than its question, and still be its
// answer: the host adds a surcharge, or rounds.
func (p *Profile) AnyAmount() bool { return p.anyAmount }

// matchFields are the fields that make up the key of class c; question and answer share them.
func (p *Profile) matchFields(c Class) []int {
	switch c {
	case ClassPayment, ClassPaymentAnswer:
		return p.match[ClassPayment]
	case ClassReversal, ClassReversalAnswer:
		return p.match[ClassReversal]
	case ClassSettlement, ClassSettlementAnswer:
		return p.match[ClassSettlement]
	case ClassOther, ClassOtherAnswer:
	}
	return p.match[ClassOther]
}

// Near is the waiting question that an unmatched answer resembles most.
type Near struct {
	Index  int    // into the waiting questions
	Fields []int  // which match fields differ; 0 stands for the message type; nil when none does
	Why    string // the same in words: "field 41 (terminal) differs"
}

// Nearest finds the waiting question that arrived resembles most, so that an answer nobody waited
// for can be explained; false when nothing is waiting. Of equals the last one wins, being newest.
func (p *Profile) Nearest(arrived Glance, waiting []Glance) (Near, bool) {
	best := Near{Index: -1}
	for i, q := range waiting {
		differs := p.differs(arrived, q)
		if best.Index < 0 || len(differs) <= len(best.Fields) {
			best = Near{Index: i, Fields: differs}
		}
	}
	if best.Index < 0 {
		return Near{}, false
	}
	var why []string
	for _, n := range best.Fields {
		switch n {
		case partMTI:
			why = append(why, "the message type is not its answer")
		default:
			why = append(why, "field "+strconv.Itoa(n)+" ("+p.FieldName(n)+") differs")
		}
	}
	best.Why = strings.Join(why, ", ")
	if why == nil {
		best.Why = "nothing differs"
	}
	return best, true
}

// differs lists the match fields in which answer a does not fit question q.
func (p *Profile) differs(a, q Glance) []int {
	var out []int
	if !a.Class.Answers(q.Class) {
		out = append(out, partMTI)
	}
	fields := p.matchFields(q.Class)
	got, want := strings.Split(a.Key, "/"), strings.Split(q.Key, "/")
	for i, n := range fields {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			out = append(out, n)
		}
	}
	return out
}
