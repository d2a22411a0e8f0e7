package iso

import (
	"maps"
	"slices"
)

// LocalAnswer answers a question in the host's place: the answer's MTI, addresses swapped, the
// fields the profile echoes, and response code code.
func (p *Profile) LocalAnswer(question []byte, code string) ([]byte, error) {
	return p.AnswerFrom(question, Kept{Code: code})
}

// AnswerFrom gives the outcome on file to a question that is asked again: what LocalAnswer gives,
// and what was kept of the host's answer. If such an answer needs an authentication code, there is
// room for it, all zeros.
func (p *Profile) AnswerFrom(question []byte, k Kept) ([]byte, error) {
	var w walk
	if err := p.walk(question, &w); err != nil {
		return nil, err
	}
	mti := p.AnswerMTI(string(w.mti[:]))
	if mti == "" {
		return nil, w.failMTI("is an answer and asks for nothing")
	}
	if p.Outcome(k.Code) == OutcomeProvisional || k.Code == "" {
		return nil, composing(fieldCode, "has no final response code to give")
	}
	fields := make(map[int]string, len(p.echo)+len(k.Fields)+3)
	if err := p.gather(fields, &w, p.echo); err != nil {
		return nil, err
	}
	for n, v := range k.all() {
		if n == fieldCode || n == fieldRRN || n == fieldAuth || slices.Contains(p.keep, n) {
			fields[n] = v
		}
	}
	mac := p.MAC()
	_, class := p.classify(w.mti)
	if mac.Needs(Glance{Class: class.Answer(), Code: k.Code}) {
		p.roomForMAC(fields, class)
	}
	return p.ComposeWith(p.AnswerHeader(question[:w.header]), mti, fields)
}

// failMTI is a fault in the message type.
func (w *walk) failMTI(problem string) error {
	return &FieldError{Field: partMTI, Offset: w.header, Problem: problem}
}

// Question is a payment's request as far as it is kept: what an answer of ours is built from when
// the request itself is gone. It has room for a code where this host's requests carry one.
func (p *Profile) Question(o Original) ([]byte, error) {
	fields := maps.Clone(o.Fields)
	if fields == nil {
		fields = map[int]string{}
	}
	p.roomForMAC(fields, ClassPayment)
	return p.ComposeWith(o.Header, o.MTI, fields)
}
