package iso

import "strings"

// A link says which payment a reversal takes back, in one field of the reversal. Numbers stand on
// the right with zeros in front, and what is not known is all zeros.

// link is one way to build such a field.
type link struct {
	field  int
	inputs []int // fields of the original that it is made of
	names  bool  // it has the original's trace number
	wants  string
	fits   func(e element) bool
	build  func(o Original, k *Kept) string
	part   func(link string, n int) string // what a link says about field n of the original
}

// links are the links a profile can choose from, by name.
var links = map[string]*link{
	"de90": {
		field: 90, names: true, wants: "n42", build: buildDE90, part: partDE90,
		inputs: []int{fieldSent, fieldSTAN, fieldAcquirer, fieldForwarder},
		fits:   func(e element) bool { return isNumber(e) && e.digits == 0 && e.count == linkLen },
	},
	"de56": {
		field: 56, names: true, wants: "n..35 or longer, or as much text", build: buildDE56,
		part: partDE56, inputs: []int{fieldSTAN, fieldTime, fieldAcquirer},
		fits: func(e element) bool { return isName(e) && e.digits > 0 && e.count >= 35 },
	},
	"de62": {
		field: 62, names: true, wants: "at least 20 digits or characters", build: buildDE62,
		part: partDE62, inputs: []int{fieldSTAN},
		fits: func(e element) bool { return isName(e) && e.digits > 0 && e.count >= len62 },
	},
	"de61": {
		field: 61, names: true, wants: "at least 16 digits or characters", build: buildDE61,
		part: partDE61, inputs: []int{fieldSTAN, fieldDate, fieldBatch},
		fits: func(e element) bool { return isName(e) && e.digits > 0 && e.count >= len61 },
	},
	"de60": {
		field: fieldBatch, wants: "at least 11 digits or characters", build: buildDE60,
		inputs: []int{fieldBatch},
		fits:   func(e element) bool { return isName(e) && e.digits > 0 && e.count >= len60 },
	},
}

// The parts of field 90, original data (ISO 8583:1987, n 42): message type 4, trace number 6,
// transmission date and time 10, acquirer 11, forwarder 11.
const (
	linkLen          = 42
	linkSTANAt       = 4
	linkSentAt       = 10
	linkAcquirerAt   = 20
	linkInstitutions = 11
	linkSentLen      = 10
)

// zeros is v with zeros in front up to size; a v that does not fit is not known, rather than cut.
func zeros(v string, size int) string {
	if len(v) > size || !digitsOnly(v) {
		v = ""
	}
	return strings.Repeat("0", size-len(v)) + v
}

// known is v, or "" when it is all zeros.
func known(v string) string {
	if strings.Trim(v, "0") == "" {
		return ""
	}
	return v
}

func buildDE90(o Original, _ *Kept) string {
	return o.MTI + zeros(o.Fields[fieldSTAN], 6) + zeros(o.Fields[fieldSent], linkSentLen) +
		zeros(o.Fields[fieldAcquirer], linkInstitutions) +
		zeros(o.Fields[fieldForwarder], linkInstitutions)
}

func partDE90(v string, n int) string {
	switch {
	case len(v) != linkLen || !digitsOnly(v):
	case n == fieldSTAN:
		return known(v[linkSTANAt:linkSentAt])
	case n == fieldSent:
		return known(v[linkSentAt:linkAcquirerAt])
	}
	return ""
}

// Field 56 of ISO 8583:1993: message type 4, trace number 6, local time 12 (DE 12), and the
// acquirer behind its length of two digits.
const len56 = 24 // without the acquirer

func buildDE56(o Original, _ *Kept) string {
	acquirer := o.Fields[fieldAcquirer]
	if len(acquirer) > linkInstitutions || !digitsOnly(acquirer) {
		acquirer = ""
	}
	length := string([]byte{byte('0' + len(acquirer)/10), byte('0' + len(acquirer)%10)})
	return o.MTI + zeros(o.Fields[fieldSTAN], 6) + zeros(o.Fields[fieldTime], 12) + length +
		acquirer
}

func partDE56(v string, n int) string {
	switch {
	case len(v) < len56 || !digitsOnly(v):
	case n == fieldSTAN:
		return known(v[4:10])
	case n == fieldTime:
		return known(v[10:22])
	}
	return ""
}

// Field 62 as some NAC and bank hosts have it: message type 4, trace number 6, and ten zeros where
// date and time of the original would be, which a terminal that got no answer does not know.
const len62 = 20

func buildDE62(o Original, _ *Kept) string {
	return o.MTI + zeros(o.Fields[fieldSTAN], 6) + strings.Repeat("0", 10)
}

func partDE62(v string, n int) string {
	if len(v) == len62 && digitsOnly(v) && n == fieldSTAN {
		return known(v[4:10])
	}
	return ""
}

// Field 61 of UnionPay terminals, the original's data: batch 6, trace number 6, date 4 (MMDD,
// zeros when the host has not said it).
const len61 = 16

func buildDE61(o Original, k *Kept) string {
	date := o.Fields[fieldDate]
	if k != nil && k.Fields[fieldDate] != "" {
		date = k.Fields[fieldDate]
	}
	return batchOf(o) + zeros(o.Fields[fieldSTAN], 6) + zeros(date, 4)
}

func partDE61(v string, n int) string {
	if len(v) >= len61 && digitsOnly(v) && n == fieldSTAN {
		return known(v[6:12])
	}
	return ""
}

// Field 60 of UnionPay terminals: type 2, batch 6, network management 3, and what follows. The
// reversal has the type and the batch of the original, whatever batch it is now.
const (
	len60   = 11
	batchAt = 2
	batchTo = 8
)

func buildDE60(o Original, _ *Kept) string {
	v := o.Fields[fieldBatch]
	if len(v) < batchTo {
		return v
	}
	rest := ""
	if len(v) > len60 {
		rest = v[len60:]
	}
	return v[:batchTo] + "000" + rest
}

// batchOf is the batch of a UnionPay original.
func batchOf(o Original) string {
	v := o.Fields[fieldBatch]
	if len(v) < batchTo {
		return zeros("", batchTo-batchAt)
	}
	return zeros(v[batchAt:batchTo], batchTo-batchAt)
}

// toldLink is a link and what stands in it in one reversal.
type toldLink struct {
	link  *link
	value string
}

// toldLinks are the links of one reversal.
type toldLinks []toldLink

// linksOf reads the links of a reversal: those the profile builds, and field 90, which an app may
// send whatever the profile builds.
func (p *Profile) linksOf(w *walk) (toldLinks, error) {
	var told toldLinks
	add := func(l *link) error {
		v, err := p.value(w, l.field)
		if v != "" {
			told = append(told, toldLink{l, v})
		}
		return err
	}
	for _, l := range p.template.links {
		if l.part == nil {
			continue
		}
		if err := add(l); err != nil {
			return nil, err
		}
	}
	if len(told) == 0 {
		if err := add(links["de90"]); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// part is what the links say about field n of the original; "" when they say nothing.
func (t toldLinks) part(n int) string {
	for _, told := range t {
		if v := told.link.part(told.value, n); v != "" {
			return v
		}
	}
	return ""
}
