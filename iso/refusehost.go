package iso

import (
	"slices"
	"strings"
)

// What is refused about links, trace numbers, authentication, sign-on and echo.

// judgeLinks fills the links of the reversal.
func (w *draft) judgeLinks(p *Profile) {
	for _, named := range w.reversal.links {
		l := links[named.v]
		if l == nil {
			continue // none
		}
		e := p.elements[l.field]
		switch {
		case e.kind == 0 || !l.fits(e):
			w.fault(named.at, "link %s needs field %d as %s", named.v, l.field, l.wants)
			continue
		case slices.Contains(p.template.links, l):
			w.fault(named.at, "link %s is listed twice", named.v)
			continue
		}
		for _, n := range append([]int{l.field}, l.inputs...) {
			if p.hidden[n] {
				w.fault(named.at, "link %s needs field %d, which must never be kept", named.v, n)
			}
		}
		p.template.links = append(p.template.links, l)
	}
}

// judgeSTAN decides where trace numbers come from. A host that sees a new number and no link takes
// a reversal for one of a payment it never saw, answers 25, and keeps the debit.
func (w *draft) judgeSTAN(p *Profile) {
	r := &w.reversal
	p.stan = StanPolicy{First: r.stan.v, Repeat: r.repeatSTAN.v}
	if p.stan.First == 0 {
		p.stan.First = StanOriginal
	}
	if p.stan.Repeat == 0 {
		p.stan.Repeat = p.stan.First
	}
	if p.stan.First == StanOriginal && p.stan.Repeat == StanSame {
		p.stan.Repeat = StanOriginal
	}
	if p.stan.First == StanNew && p.stan.Repeat == StanOriginal {
		w.fault(r.repeatSTAN.at, "a repeat with the original's trace number, after a first "+
			"sending with another, is a reversal of its own to the host")
	}
	if slices.ContainsFunc(p.template.links, func(l *link) bool { return l.names }) {
		return
	}
	if p.stan.First == StanNew {
		w.fault(r.stan.at, "a reversal with a new trace number and no link to the original "+
			"(de90, de56, de61, de62) takes nothing back: the host does not know what it is about")
	}
	if p.stan.First == StanOriginal && p.stan.Repeat == StanNew {
		w.fault(r.repeatSTAN.at, "a repeat with a new trace number and no link to the original "+
			"(de90, de56, de61, de62) is another reversal to the host, of nothing it knows")
	}
}

// judgeFromAnswer checks that the answer has no say in what is taken back.
func (w *draft) judgeFromAnswer(p *Profile) {
	fixed := []int{fieldAmount, fieldSTAN, fieldTerminal, w.reversal.reasonField.v}
	fixed = append(fixed, p.match[ClassReversal]...)
	for _, l := range p.template.links {
		fixed = append(fixed, l.field)
	}
	for _, n := range w.reversal.fromAnswer {
		if slices.Contains(fixed, n.v) {
			w.fault(n.at, "field %d says what is taken back, and comes from the original", n.v)
		}
	}
}

// judgeMAC checks that a code can be made, has a place, and that reversals carry one where
// payments do: a host refuses one without.
func (w *draft) judgeMAC(p *Profile) {
	m := &w.mac
	if m.at == nil {
		return
	}
	p.mac = macRule{
		algorithm: m.algorithm, field: m.field.v, size: m.size, cover: m.cover,
		noRepeat: m.noRepeat, answers: m.answers,
	}
	if m.algorithm == "" {
		w.fault(m.at, "mac has no algorithm; none is one")
	}
	if p.MAC().None() {
		return
	}
	places := macFields
	if m.field.v > 0 {
		places = []int{m.field.v}
	}
	for _, n := range places {
		if e := p.elements[n]; e.kind != kindBinary || e.digits > 0 || e.count != 8 {
			w.fault(m.at, "mac needs field %d as b8", n)
		}
	}
	for _, c := range m.on {
		p.mac.on[c.v] = true
	}
	if len(m.on) == 0 {
		w.fault(m.at, "mac.on lists no messages that carry a code")
	}
	if p.mac.on[ClassPayment] && !p.mac.on[ClassReversal] {
		w.fault(m.at, "mac.on has payment and not reversal: no reversal would be accepted")
	}
	for _, n := range m.fields {
		if n.v > partBitmap && p.elements[n.v].kind == 0 {
			w.absent(n)
		}
		if slices.Contains(macFields, n.v) {
			w.fault(n.at, "field %d is the code itself", n.v)
		}
		p.mac.fields = append(p.mac.fields, n.v)
	}
	if m.cover == coverFields && p.mac.on[ClassReversal] {
		for _, n := range []int{fieldAmount, fieldSTAN} {
			if !slices.Contains(p.mac.fields, n) {
				w.fault(m.at, "mac.cover lacks field %d: anybody could change it", n)
			}
		}
	}
	for _, code := range m.codes {
		w.codeFits(p, code.at, code.v, fieldCode)
		p.mac.codes = append(p.mac.codes, code.v)
	}
	if m.field.v == 64 && slices.ContainsFunc(p.template.links, func(l *link) bool {
		return l.field > 64
	}) {
		w.fault(m.field.at, "a code in field 64 does not cover the link behind it; "+
			"field: last does")
	}
}

// judgeForm checks a message of ours that is not a payment.
func (w *draft) judgeForm(p *Profile, f draftForm, what string) form {
	out := form{mti: f.mti, fields: map[int]string{}}
	if !w.isQuestion(ClassOther, f.mti) {
		w.fault(f.at, "%s: %q is not listed in messages.other", what, f.mti)
	}
	for _, field := range f.fields {
		n := leadingNumber(field.v[0])
		switch {
		case p.elements[n].kind == 0:
			w.absent(placed[int]{n, field.at})
		case slices.Contains(neverKept, n) || n == fieldPAN || n == fieldExpiry || n == fieldChip:
			w.fault(field.at, "field %d is card data and has no place in a %s", n, what)
		case slices.Contains(macFields, n):
			w.fault(field.at, "field %d is the authentication code; see mac.on", n)
		}
		if _, problem := provingValues.fill(field.v[1]); problem != "" {
			w.fault(field.at, "field %d %s", n, problem)
		}
		out.fields[n] = field.v[1]
	}
	if !strings.Contains(out.fields[fieldSTAN], "{stan}") {
		w.fault(f.at, "%s has no trace number; it is 11: \"{stan}\"", what)
	}
	return out
}

// judgeSignOn fills the sign-on.
func (w *draft) judgeSignOn(p *Profile) {
	s := &w.signOn
	if s.at == nil {
		return
	}
	rule := &p.signOn
	*rule = signOnRule{linkUp: s.linkUp, beforeReversals: s.before, requests: s.requests}
	for _, f := range s.forms {
		rule.forms = append(rule.forms, w.judgeForm(p, f, "sign-on"))
	}
	if len(s.forms) == 0 {
		w.fault(s.at, "sign_on has no messages")
	}
	if len(s.done) == 0 {
		w.fault(s.at, "sign_on.done lists no code that accepts a sign-on")
	}
	for _, code := range s.done {
		w.codeFits(p, code.at, code.v, fieldCode)
		rule.done = append(rule.done, code.v)
	}
	for _, code := range s.codes {
		w.codeFits(p, code.at, code.v, fieldCode)
		if p.outcomes[code.v] == OutcomeApproved || p.verdicts[code.v] == VerdictDone ||
			slices.Contains(rule.done, code.v) {
			w.fault(code.at, "code %q says that all is well, and cannot ask for a sign-on", code.v)
		}
		rule.codes = append(rule.codes, code.v)
	}
	if len(s.requests) > 0 && !slices.ContainsFunc(p.headerParts, func(h headerPart) bool {
		return h.kind == headerUnionPay
	}) {
		w.fault(s.headerAt, "sign_on.header needs a unionpay part in header")
	}
	for _, f := range []struct {
		from placed[int]
		into *int
	}{{s.keys, &rule.keys}, {s.date, &rule.date}, {s.clock, &rule.clock}} {
		if f.from.at != nil && p.elements[f.from.v].kind == 0 {
			w.absent(f.from)
		}
		*f.into = f.from.v
	}
	rule.app = w.judgeApp(p, s.app)
	if s.batch.v != "" {
		rule.batch, _ = w.lookPart(p, s.batch.v, s.batch.at)
	}
}

// judgeEcho fills the echo.
func (w *draft) judgeEcho(p *Profile) {
	if w.idle.at == nil {
		return
	}
	p.idle = echoRule{form: w.judgeForm(p, w.idle.form, "echo"), idle: w.idle.idle}
	p.idle.app = w.judgeApp(p, w.idle.app)
	if w.idle.idle == 0 {
		w.fault(w.idle.at, "echo has no idle time")
	}
}

// judgeApp checks the code with which an app's own sign-on or echo is answered by us.
func (w *draft) judgeApp(p *Profile, code placed[string]) string {
	if code.at != nil {
		w.codeFits(p, code.at, code.v, fieldCode)
	}
	return code.v
}
