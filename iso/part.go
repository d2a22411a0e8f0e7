package iso

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// part is a piece of a field that has a meaning of its own, such as UnionPay's 60.1; size 0 is the
// whole field.
type part struct {
	field int
	at    int // in the value, from 0
	size  int
	name  string
}

// of is the part of a whole value; "" when the value is too short to have it.
func (pt part) of(value string) string {
	switch {
	case pt.size == 0:
		return value
	case len(value) < pt.at+pt.size:
		return ""
	}
	return value[pt.at : pt.at+pt.size]
}

// partRule is a condition on one part: that it has one of some values.
type partRule struct {
	part   part
	values []string
}

// holds reports whether the message has the part with one of the values; known is false when the
// message does not have it, or not in a form that could be read.
func (r *partRule) holds(p *Profile, w *walk) (is, known bool) {
	if !w.has(r.part.field) {
		return false, false
	}
	var room [128]byte
	value, err := p.appendField(room[:0], w, r.part.field)
	if err != nil || len(value) < r.part.at+r.part.size {
		return false, false
	}
	if r.part.size > 0 {
		value = value[r.part.at : r.part.at+r.part.size]
	}
	return slices.Contains(r.values, string(value)), true
}

// takes reports whether the rule has this payment taken back. What a message does not say counts
// as what would have it reversed: a needless reversal costs one message.
func (r *reversibleRule) takes(p *Profile, w *walk, processing string) bool {
	begins := func(prefix string) bool {
		return len(processing) >= len(prefix) && processing[:len(prefix)] == prefix
	}
	if processing != "" &&
		(slices.ContainsFunc(r.except, begins) ||
			len(r.only) > 0 && !slices.ContainsFunc(r.only, begins)) {
		return false
	}
	for i := range r.unless {
		if is, _ := r.unless[i].holds(p, w); is {
			return false
		}
	}
	for i := range r.where {
		if is, known := r.where[i].holds(p, w); known && !is {
			return false
		}
	}
	return true
}

func (w *draft) readSubfields(n *yaml.Node) {
	w.pairs(n, func(key, value *yaml.Node) {
		pt := placed[part]{at: key}
		name, ok := w.partName(key)
		w.table(value, keys{
			"at":     func(n *yaml.Node) { pt.v.at, _ = w.number(n, 1, valueMax) },
			"length": func(n *yaml.Node) { pt.v.size, _ = w.number(n, 1, valueMax) },
			"name":   func(n *yaml.Node) { pt.v.name, _ = w.text(n) },
		})
		if !ok {
			return
		}
		if pt.v.at == 0 || pt.v.size == 0 {
			w.fault(key, "a subfield has at and length")
			return
		}
		pt.v.at--
		pt.v.field = leadingNumber(name)
		w.subfields[name] = pt
	})
}

// valueMax is the longest value a field can have, in characters.
const valueMax = 9999

// leadingNumber is the field number in "60.1".
func leadingNumber(name string) int {
	n := 0
	for i := 0; i < len(name) && isDigit(name[i]); i++ {
		n = n*10 + int(name[i]-'0')
	}
	return n
}

// partRules reads {"60.1": ["10", "11"]}.
func (w *draft) partRules(n *yaml.Node) []placed[draftPartRule] {
	var out []placed[draftPartRule]
	w.pairs(n, func(key, value *yaml.Node) {
		rule := draftPartRule{name: key.Value}
		w.partOrField(key)
		w.list(value, func(item *yaml.Node) {
			if v, ok := w.text(item); ok {
				rule.values = append(rule.values, v)
			}
		})
		out = append(out, placed[draftPartRule]{rule, key})
	})
	return out
}

// draftPartRule is a partRule whose part is not looked up yet.
type draftPartRule struct {
	name   string
	values []string
}

// judgeSubfields checks that every part lies inside its field.
func (w *draft) judgeSubfields(p *Profile) {
	p.parts = map[string]part{}
	for name, pt := range w.subfields {
		e := p.elements[pt.v.field]
		size := e.count
		if e.kind == kindBinary {
			size *= 2
		}
		switch {
		case e.kind == 0:
			w.absent(placed[int]{pt.v.field, pt.at})
		case pt.v.at+pt.v.size > size:
			w.fault(pt.at, "subfield %s ends behind field %d", name, pt.v.field)
		default:
			p.parts[name] = pt.v
		}
	}
}

// lookPart finds a part or a whole field by name.
func (w *draft) lookPart(p *Profile, name string, at *yaml.Node) (part, bool) {
	if pt, ok := p.parts[name]; ok {
		return pt, true
	}
	if _, ok := w.subfields[name]; ok {
		return part{}, false // said elsewhere
	}
	n := leadingNumber(name)
	if !digitsOnly(name) || n > fieldMax || p.elements[n].kind == 0 {
		w.fault(at, "%q is not a field, and not listed under subfields", name)
		return part{}, false
	}
	return part{field: n}, true
}

// lookRules turns what was read into rules.
func (w *draft) lookRules(p *Profile, read []placed[draftPartRule]) []partRule {
	var out []partRule
	for _, r := range read {
		if pt, ok := w.lookPart(p, r.v.name, r.at); ok {
			if p.hidden[pt.field] {
				w.fault(r.at, "field %d is card data and decides nothing", pt.field)
			}
			out = append(out, partRule{part: pt, values: r.v.values})
		}
	}
	return out
}
