package iso

import (
	"encoding/hex"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// neverKept are the fields with sensitive authentication data (PCI DSS 3.3.1), and 34, which
// holds a card number in a form we could not mask. No profile can have them kept.
var neverKept = []int{34, 35, 36, 45, 52}

// macFields are the message authentication codes: over other bytes, under other keys.
var macFields = []int{64, 128}

// judgeCodes fills the lists of response codes; no code may be in two of one kind.
func (w *draft) judgeCodes(p *Profile) {
	p.outcomes = judgeCodeLists(w, p, w.outcomes)
	p.verdicts = judgeCodeLists(w, p, w.verdicts)
	for _, code := range w.verdicts {
		o := p.outcomes[code.v.code]
		if code.v.in == VerdictDone && (o == OutcomeAmbiguous || o == OutcomeProvisional) {
			w.fault(code.at, "code %q is %s for a payment, so it cannot mean that a reversal is "+
				"done", code.v.code, o)
		}
		if code.v.in != VerdictDone && o == OutcomeApproved {
			w.fault(code.at, "code %q is an approval, so a reversal that got it is not to be %s",
				code.v.code, verdictDeeds[code.v.in])
		}
	}
	missing := func(section, list string, has bool) {
		if n := w.at[section]; n != nil && !has {
			w.fault(n, "%s.%s is empty", section, list)
		}
	}
	missing("codes", "approved", slices.ContainsFunc(w.outcomes,
		func(c placed[draftCode[Outcome]]) bool { return c.v.in == OutcomeApproved }))
	missing("answers", "done", slices.ContainsFunc(w.verdicts,
		func(c placed[draftCode[Verdict]]) bool { return c.v.in == VerdictDone }))
}

// verdictDeeds are what is done after each verdict.
var verdictDeeds = map[Verdict]string{
	VerdictRetry: "sent again", VerdictSignOn: "sent again", VerdictStuck: "stuck",
}

func judgeCodeLists[T any](w *draft, p *Profile, codes []placed[draftCode[T]]) map[string]T {
	lists := map[string]string{}
	out := map[string]T{}
	for _, c := range codes {
		if was, ok := lists[c.v.code]; ok {
			w.fault(c.at, "code %q is listed under %s and under %s", c.v.code, was, c.v.list)
		}
		w.codeFits(p, c.at, c.v.code, fieldCode)
		if _, ok := out[c.v.code]; !ok {
			lists[c.v.code], out[c.v.code] = c.v.list, c.v.in
		}
	}
	return out
}

// codeFits checks that a code can stand in a field at all.
func (w *draft) codeFits(p *Profile, at *yaml.Node, code string, field int) {
	e := p.elements[field]
	if e.kind == 0 || at == nil {
		return // said elsewhere
	}
	if v, problem := e.fit(code); problem != "" || v != code {
		w.fault(at, "code %q cannot stand in field %d", code, field)
	}
}

// closeWord in local_answer means: hang up instead of answering.
const closeWord = "close"

// judgeLocal checks what the app is told by us: nothing of it may read as an approval.
func (w *draft) judgeLocal(p *Profile) {
	targets := map[string]*string{
		"unknown": &p.local.Unknown, "not_sent": &p.local.NotSent, "busy": &p.local.Busy,
		"refused": &p.local.Refused, "owed": &p.local.Owed, "reversed": &p.local.Reversed,
		"amount": &p.local.Amount, "card": &p.local.Card, "expired": &p.local.Expired,
		"repeated": &p.local.Repeated, "irreversible": &p.local.Irreversible,
	}
	for _, name := range slices.Concat(localNames, guardNames) {
		code, ok := w.local[name]
		if !ok && slices.Contains(guardNames, name) {
			*targets[name] = p.local.Refused
		}
		if !ok || code.v == closeWord {
			continue
		}
		w.codeFits(p, code.at, code.v, fieldCode)
		if p.outcomes[code.v] == OutcomeApproved {
			w.fault(code.at, "code %q is an approval: the app would hand over the goods", code.v)
		}
		*targets[name] = code.v
	}
	if w.at["local_answer"] != nil && p.elements[fieldCode].kind == 0 {
		w.fault(w.at["local_answer"], "answers need field %d, which is not in fields", fieldCode)
	}
	p.echo = w.plainFields(p, w.echo, "an answer of ours")
}

// judgeKeep decides what is kept of an answer.
func (w *draft) judgeKeep(p *Profile) {
	p.keep = w.plainFields(p, w.keep, "the journal")
	for _, n := range p.template.fromAnswer {
		if !slices.Contains(p.keep, n) {
			p.keep = append(p.keep, n)
		}
	}
}

// plainFields are fields that go somewhere they can be seen: no card data in any form.
func (w *draft) plainFields(p *Profile, fields []placed[int], where string) []int {
	var out []int
	for _, n := range fields {
		switch {
		case p.hidden[n.v]:
			w.fault(n.at, "field %d must not get into %s: it can hold track data, a PIN block or "+
				"a card verification value", n.v, where)
		case n.v == fieldPAN || n.v == fieldExpiry || n.v == fieldChip:
			w.fault(n.at, "field %d is card data and must not get into %s", n.v, where)
		case slices.Contains(macFields, n.v):
			w.fault(n.at, "field %d is an authentication code of another message", n.v)
		case p.elements[n.v].kind == 0:
			w.absent(n)
		default:
			out = append(out, n.v)
		}
	}
	return out
}

// judgeReversal makes the template and refuses one that would leak or could not work.
func (w *draft) judgeReversal(p *Profile) {
	r, t := &w.reversal, &p.template
	if r.at == nil {
		return
	}
	t.mti, t.repeatMTI = r.mti.v, r.repeatMTI.v
	if r.repeatMTI.at == nil {
		t.repeatMTI = t.mti
	} else if !w.isQuestion(ClassReversal, t.repeatMTI) {
		w.fault(r.repeatMTI.at, "%q is not a reversal in messages", t.repeatMTI)
	}
	if !w.isQuestion(ClassReversal, t.mti) {
		at := r.at
		if r.mti.at != nil {
			at = r.mti.at
		}
		w.fault(at, "reversal.mti %q is not a reversal in messages", t.mti)
	}
	w.judgeCopy(p)
	w.judgeLinks(p)
	w.judgeSet(p)
	t.fromAnswer = w.plainFields(p, r.fromAnswer, "the journal")
	w.judgeFromAnswer(p)
	w.judgeChipTags(p)
	w.judgeSTAN(p)
	t.reasonField = r.reasonField.v
	if r.reasonField.at == nil {
		w.fault(r.at, "reversal has no reason_field")
	} else if t.reasonField > 0 && p.elements[t.reasonField].kind == 0 {
		w.absent(r.reasonField)
	}
	for reason, code := range w.reasons {
		p.reasons[reason] = code.v
		if t.reasonField > 0 {
			w.codeFits(p, code.at, code.v, t.reasonField)
		}
	}
	w.judgeCarried(p)
}

// judgeCopy is the allow-list: what of a request may be kept and sent again.
func (w *draft) judgeCopy(p *Profile) {
	r, t := &w.reversal, &p.template
	dropped := func(n int) bool {
		return slices.ContainsFunc(r.drop, func(d placed[int]) bool { return d.v == n })
	}
	for _, d := range r.drop {
		if !slices.ContainsFunc(r.copied, func(c placed[int]) bool { return c.v == d.v }) {
			w.fault(d.at, "field %d is dropped but not copied", d.v)
		}
	}
	for _, n := range r.copied {
		switch {
		case p.hidden[n.v]:
			w.fault(n.at, "field %d must never be kept: it can hold track data, a PIN block or a "+
				"card verification value", n.v)
		case n.v == fieldChip:
			w.fault(n.at, "field %d is copied tag by tag; see chip_tags", n.v)
		case slices.Contains(macFields, n.v):
			w.fault(n.at, "field %d is an authentication code of another message", n.v)
		case p.elements[n.v].kind == 0:
			w.absent(n)
		case dropped(n.v):
		case n.v == fieldPAN:
			t.pan = true
		case n.v == fieldExpiry:
			t.expiry = true
		default:
			t.copied = append(t.copied, n.v)
		}
	}
}

// judgeSet checks the fields that are the same in every reversal.
func (w *draft) judgeSet(p *Profile) {
	t := &p.template
	t.set = map[int]string{}
	for number, value := range w.reversal.set {
		taken := []int{fieldPAN, fieldAmount, fieldSTAN, fieldExpiry, fieldChip}
		taken = append(taken, w.reversal.reasonField.v)
		taken = append(append(taken, macFields...), t.copied...)
		for _, l := range t.links {
			taken = append(taken, l.field)
		}
		switch {
		case p.hidden[number] || slices.Contains(taken, number):
			w.fault(value.at, "field %d is not one that set can give a value", number)
			continue
		case p.elements[number].kind == 0:
			w.absent(placed[int]{number, value.at})
			continue
		}
		v, problem := p.elements[number].fit(value.v)
		if problem != "" {
			w.fault(value.at, "field %d %s", number, problem)
		}
		t.set[number] = v
	}
}

// judgeChipTags checks the subset of field 55: plain tags that identify no card.
func (w *draft) judgeChipTags(p *Profile) {
	for _, tag := range w.reversal.chipTags {
		name := strings.ToUpper(tag.v)
		b, err := hex.DecodeString(name)
		head, ok := parseTag(b)
		switch {
		case err != nil || !ok || head != len(b):
			w.fault(tag.at, "%q is not a chip tag, such as 9F36", tag.v)
		case isTemplate(b):
			w.fault(tag.at, "tag %s holds other tags, which could be anything", name)
		case sensitiveTags[name] != "":
			w.fault(tag.at, "tag %s must not be kept: %s", name, sensitiveTags[name])
		case slices.Contains(p.template.chipTags, name):
			w.fault(tag.at, "tag %s is listed twice", name)
		default:
			p.template.chipTags = append(p.template.chipTags, name)
		}
	}
	if len(p.template.chipTags) > 0 && p.elements[fieldChip].kind == 0 {
		w.fault(w.reversal.at, "chip_tags need field %d, which is not in fields", fieldChip)
	}
}

// judgeCarried checks that a reversal carries what its answer will be known by.
func (w *draft) judgeCarried(p *Profile) {
	t := &p.template
	needed := append([]int{fieldSTAN}, p.match[ClassReversal]...)
	slices.Sort(needed)
	for _, n := range slices.Compact(needed) {
		_, set := t.set[n]
		own := n == fieldSTAN && p.stan.First == StanNew && p.stan.Repeat != StanOriginal
		if !set && !own && !slices.Contains(t.copied, n) && p.elements[n].kind != 0 {
			w.fault(w.reversal.at, "the reversal does not carry field %d, so its answer could not "+
				"be known again", n)
		}
	}
}
