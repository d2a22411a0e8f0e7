package iso

import (
	"maps"
	"slices"
	"strings"
)

// Original is what the journal keeps of a request so that it can be reversed after a power cut: the
// fields the profile's reversal needs and no others. It cannot hold track data, a PIN block or a
// card verification value, and its JSON form has no Card.
type Original struct {
	MTI    string         `json:"mti"`
	Header []byte         `json:"header,omitempty"` // TPDU and the like, as the request had them
	Fields map[int]string `json:"fields"`           // as Message has them; never 2 and 14
	Card   Card           `json:"-"`
}

// Kept is what the journal keeps of an answer: enough to reverse it, and to give it again.
type Kept struct {
	Code   string         `json:"code"`             // DE 39; "" when there was none
	RRN    string         `json:"rrn,omitempty"`    // DE 37
	Auth   string         `json:"auth,omitempty"`   // DE 38
	Fields map[int]string `json:"fields,omitempty"` // what the profile keeps besides
}

// Original takes out of a request what its reversal needs. Every field must be what the profile
// says it is. An error (*FieldError) means that the request could not be reversed, so it must not
// be sent.
func (p *Profile) Original(body []byte) (Original, error) {
	var w walk
	if err := p.walk(body, &w); err != nil {
		return Original{}, err
	}
	if err := p.contents(&w); err != nil {
		return Original{}, err
	}
	mti, _ := p.classify(w.mti)
	o := Original{MTI: mti, Fields: make(map[int]string, len(p.template.copied)+8)}
	if w.header > 0 {
		o.Header = append([]byte(nil), body[:w.header]...)
	}
	wanted := p.template.copied
	for _, l := range p.template.links {
		wanted = append(slices.Clip(wanted), l.inputs...)
	}
	if err := p.gather(o.Fields, &w, wanted); err != nil {
		return Original{}, err
	}
	if p.stan.Counts() && known(o.Fields[fieldSTAN]) == "" {
		return Original{}, p.failAt(&w, fieldSTAN, "is zero, and the link would name no payment")
	}
	if w.has(fieldChip) && len(p.template.chipTags) > 0 {
		tags, at, err := subsetTLV(nil, p.rawBytes(&w, fieldChip), p.template.chipTags)
		if err != nil {
			return Original{}, p.failAt(&w, fieldChip, tlvProblem(at))
		}
		if len(tags) > 0 {
			o.Fields[fieldChip] = string(appendHex(nil, tags))
		}
	}
	if n := p.holdsCard(o.Fields, &w); n != 0 {
		return Original{}, p.failAt(&w, n, "holds the card number, which must not be kept there")
	}
	if p.template.pan || p.template.expiry {
		card, err := p.cardOf(&w)
		if err != nil {
			return Original{}, err
		}
		o.Card = card
	}
	return o, nil
}

// holdsCard is a field of kept that has a card number of the message in it, 0 if none has. The
// allow-list is of fields and tags; this is for the app that puts something else into them.
func (p *Profile) holdsCard(kept map[int]string, w *walk) int {
	for _, pan := range p.cardNumbers(w) {
		for n, v := range kept {
			if strings.Contains(v, pan) {
				return n
			}
		}
	}
	return 0
}

// gather puts the wanted fields that the message has into into. It is the only way values get into
// what is kept, and it has no way to take a hidden one: judge refuses such a profile, and this
// refuses the field.
func (p *Profile) gather(into map[int]string, w *walk, wanted []int) error {
	for _, n := range wanted {
		if !w.has(n) || p.hidden[n] || n == fieldPAN || n == fieldExpiry || n == fieldChip {
			continue
		}
		v, err := p.value(w, n)
		if err != nil {
			return err
		}
		into[n] = v
	}
	return nil
}

// Keep takes out of an answer what the profile keeps of it. What else is in the answer may be
// what it likes: an approval is not thrown away for a careless field 44.
func (p *Profile) Keep(answer []byte) (Kept, error) {
	var w walk
	if err := p.walk(answer, &w); err != nil {
		return Kept{}, err
	}
	k := Kept{Fields: make(map[int]string, len(p.keep))}
	if err := p.gather(k.Fields, &w, p.keep); err != nil {
		return Kept{}, err
	}
	for n := p.holdsCard(k.Fields, &w); n != 0; n = p.holdsCard(k.Fields, &w) {
		delete(k.Fields, n)
	}
	for n, into := range map[int]*string{fieldCode: &k.Code, fieldRRN: &k.RRN, fieldAuth: &k.Auth} {
		v, err := p.value(&w, n)
		if err != nil {
			return Kept{}, err
		}
		*into = v
		delete(k.Fields, n)
	}
	return k, nil
}

// all are the kept fields with their numbers, 37, 38 and 39 among them.
func (k Kept) all() map[int]string {
	out := make(map[int]string, len(k.Fields)+3)
	maps.Copy(out, k.Fields)
	for n, v := range map[int]string{fieldCode: k.Code, fieldRRN: k.RRN, fieldAuth: k.Auth} {
		if v != "" {
			out[n] = v
		}
	}
	return out
}
