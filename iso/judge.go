package iso

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// judge turns a draft into a profile, or into faults. What it refuses would charge a card twice,
// leave a debit behind, or put on disk what must not be kept. The checks are in the order of the
// file; those about the reversal itself are in refuse.go.
func (w *draft) judge() *Profile {
	p := &Profile{
		name: w.name.v, about: w.about.v, framing: w.framing, frameMax: w.frameMax.v,
		header: w.header, headerParts: w.headerParts, enc: w.enc, hostTimeout: w.hostTimeout,
		texts: w.texts, schedule: w.schedule, holdSettlement: w.settlement,
		anyAmount: w.anyAmount,
	}
	w.judgeFrame()
	w.judgeFields(p)
	w.judgeSubfields(p)
	w.judgeMessages(p)
	w.judgeReversible(p)
	w.judgeMatch(p)
	w.judgeCodes(p)
	w.judgeLocal(p)
	w.judgeReversal(p)
	w.judgeKeep(p)
	w.judgeMAC(p)
	w.judgeSignOn(p)
	w.judgeEcho(p)
	return p
}

func (w *draft) judgeFrame() {
	if w.name.v != "" && strings.ContainsAny(w.name.v, "/\\\n\r\t") {
		w.fault(w.name.at, "a name is one word or two, without slashes")
	}
	if n := w.at["framing"]; n != nil && n.Kind == yaml.MappingNode && w.framing.length == 0 &&
		pairIndex(n, "length") < 0 {
		w.fault(n, "framing has no length")
	}
	if w.frameMax.at != nil && w.framing.length != 0 && w.frameMax.v > w.framing.max() {
		w.fault(w.frameMax.at, "the length in front of a message can only announce %d bytes",
			w.framing.max())
	}
	if n := w.at["limits"]; n != nil && w.frameMax.at == nil {
		w.fault(n, "limits has no frame_bytes_max")
	}
	if n := w.at["timers"]; n != nil && w.hostTimeout == 0 {
		w.fault(n, "timers has no host_timeout")
	}
}

// judgeFields dresses every field in the encoding, and checks those that have a meaning for us.
func (w *draft) judgeFields(p *Profile) {
	for number, f := range w.fields {
		e := f.v.element
		if e.kind == 0 {
			continue
		}
		e.dress(w.enc)
		if f.v.length != 0 {
			e.length = f.v.length
		}
		if f.v.odd != nil {
			e.odd = *f.v.odd
		}
		if f.v.packing != 0 {
			if !e.kind.packable(f.v.packing) {
				w.fault(f.at, "a field of this kind cannot be packed like that")
			}
			e.packing = f.v.packing
		}
		if e.name == "" {
			e.name = "field"
		}
		p.elements[number] = e
	}
	for _, n := range w.cvvIn {
		p.hidden[n.v] = true
	}
	for _, n := range neverKept {
		p.hidden[n] = true
	}
	for _, rule := range meanings {
		f, ok := w.fields[rule.field]
		if e := p.elements[rule.field]; ok && e.kind != 0 && !rule.fits(e) {
			w.fault(f.at, "field %d must be %s", rule.field, rule.wants)
		}
	}
}

// packable reports whether fields of kind k can be packed like that at all.
func (k kind) packable(how packing) bool {
	switch k {
	case kindNumber, kindSigned, kindTrack:
		return how == packChars || how == packBCD
	case kindText:
		return how == packChars
	case kindBinary:
		return how == packHex || how == packRaw
	}
	return false
}

// meanings are the fields we look into, and what they must be made of for that.
var meanings = []struct {
	field int
	fits  func(e element) bool
	wants string
}{
	{fieldPAN, isNumber, "digits (n)"},
	{fieldProcessing, isNumber, "digits (n)"},
	{fieldAmount, isAmount, "at most 18 digits (n)"},
	{fieldSTAN, isNumber, "digits (n)"},
	{fieldExpiry, isExpiry, "n4"},
	{fieldTrack2, isTrack, "a track (z)"},
	{fieldCode, isCode, "fixed text or digits"},
	{fieldTerminal, isName, "text or digits"},
	{fieldPIN, isBytes, "bytes (b)"},
	{fieldChip, isBytes, "bytes (b)"},
}

func isNumber(e element) bool { return e.kind == kindNumber }
func isAmount(e element) bool { return isNumber(e) && e.count <= 18 } // fits an int64
func isExpiry(e element) bool { return isNumber(e) && e.count == 4 }
func isTrack(e element) bool  { return e.kind == kindTrack || e.kind == kindText }
func isCode(e element) bool   { return isName(e) && e.digits == 0 }
func isName(e element) bool   { return e.kind == kindText || isNumber(e) }
func isBytes(e element) bool  { return e.kind == kindBinary }

// judgeMessages makes the table of message types. No type may mean two things: an answer that is
// taken for another's would end a reversal that was never answered.
func (w *draft) judgeMessages(p *Profile) {
	p.types = map[[4]byte]messageType{}
	add := func(at *yaml.Node, t messageType) {
		if len(t.mti) != 4 || !digitsOnly(t.mti) {
			w.fault(at, problemMTI)
			return
		}
		key := [4]byte([]byte(t.mti))
		if was, ok := p.types[key]; ok && was != t {
			w.fault(at, "message type %s is %s here and %s elsewhere: they could not be told apart",
				t.mti, t.class, was.class)
			return
		}
		p.types[key] = t
	}
	for _, class := range questionClasses {
		for _, pair := range w.messages[class] {
			add(pair.at, messageType{pair.v[0], class, pair.v[1]})
		}
	}
	for _, class := range questionClasses {
		for _, pair := range w.messages[class] {
			add(pair.at, messageType{pair.v[1], class.Answer(), ""})
		}
	}
	for _, class := range []Class{ClassPayment, ClassReversal} {
		if n := w.at["messages"]; n != nil && len(w.messages[class]) == 0 {
			w.fault(n, "messages lists no %s", class)
		}
	}
}

func (w *draft) judgeReversible(p *Profile) {
	if n := w.at["reversible"]; n != nil && len(w.reversible) == 0 {
		w.fault(n, "no payment would ever be reversed")
	}
	for _, r := range w.reversible {
		rule := r.v.rule
		switch answer, listed := w.answerOf(ClassPayment, rule.mti); {
		case !listed:
			w.fault(r.at, "%q is not a payment in messages", rule.mti)
			continue
		case answer == "":
			w.fault(r.at, "%q has no answer in messages: its outcome would never be known",
				rule.mti)
		}
		for _, other := range p.reversible {
			if other.mti == rule.mti {
				w.fault(r.at, "%q has a rule already", rule.mti)
			}
		}
		rule.where, rule.unless = w.lookRules(p, r.v.where), w.lookRules(p, r.v.unless)
		p.reversible = append(p.reversible, rule)
	}
}

// answerOf is the answer that messages lists for a question of class.
func (w *draft) answerOf(class Class, mti string) (answer string, listed bool) {
	for _, pair := range w.messages[class] {
		if pair.v[0] == mti {
			return pair.v[1], true
		}
	}
	return "", false
}

// isQuestion reports whether mti is listed as a question of class.
func (w *draft) isQuestion(class Class, mti string) bool {
	_, listed := w.answerOf(class, mti)
	return listed
}

// judgeMatch checks that a key tells one payment from the next, and has no card number in it: keys
// are written to journals and logs.
func (w *draft) judgeMatch(p *Profile) {
	section := w.at["match"]
	if section == nil {
		return
	}
	for _, class := range questionClasses {
		trace := false
		for _, n := range w.match[class] {
			e := p.elements[n.v]
			trace = trace || n.v == fieldSTAN
			switch {
			case p.hidden[n.v] || n.v == fieldPAN || n.v == fieldExpiry:
				w.fault(n.at, "field %d is card data, and match keys are written down", n.v)
			case e.kind == 0:
				w.absent(n)
			case e.kind == kindTrack || e.kind == kindBinary:
				w.fault(n.at, "field %d cannot be part of a key", n.v)
			}
			p.match[class] = append(p.match[class], n.v)
		}
		if !trace && (class == ClassPayment || class == ClassReversal) {
			at := section
			if w.matchAt[class] != nil {
				at = w.matchAt[class]
			}
			w.fault(at, "match.%s has no trace number (field 11): payments could not be told "+
				"apart", class)
		}
	}
}

// absent is the fault of naming a field that is not in fields, unless that one is at fault itself.
func (w *draft) absent(n placed[int]) {
	if _, ok := w.fields[n.v]; !ok {
		w.fault(n.at, "field %d is not in fields", n.v)
	}
}
