package iso

import (
	"strconv"
	"strings"
)

// Line is one field of a message for people, masked.
type Line struct {
	Field   int    // 0 message type, 1 bitmap, -1 header and what belongs to no field
	Offset  int    // where it starts in the body, in bytes
	Name    string // what the profile calls it
	Value   string // masked; control characters escaped
	Problem string // what is wrong here; the message cannot be read any further
}

// String is the line as a trace shows it: offset, field, name, value.
func (l Line) String() string {
	field := strconv.Itoa(l.Field)
	if l.Field == partHeader {
		field = "-"
	}
	text := l.Value
	if l.Problem != "" {
		text = strings.TrimSpace(text + " !! " + l.Problem)
	}
	return pad(strconv.Itoa(l.Offset), 5) + "  " + pad(field, 3) + "  " + l.Name + ": " + text
}

// pad fills up on the left.
func pad(s string, width int) string { return strings.Repeat(" ", max(0, width-len(s))) + s }

// Describe shows a message field by field, with card data masked. It works on anything: where the
// bytes stop making sense the last line has a Problem. Of a message that is not whole, longer
// runs of digits are not shown at all, because a shifted field may hold a piece of the card
// number.
func (p *Profile) Describe(body []byte) []Line {
	var w walk
	err := p.walk(body, &w)
	d := describer{p: p, w: &w, ends: err == nil, whole: err == nil && p.contents(&w) == nil}
	if w.header > 0 && len(body) >= w.header {
		text := string(appendHex(nil, body[:w.header]))
		if body[0] != p.header[0] {
			text = d.clean(text) // not a header at all, perhaps
		}
		d.add(partHeader, 0, "header", text)
	}
	if w.last > partMTI {
		mti, class := p.classify(w.mti)
		d.add(partMTI, w.header, "message type", mti+" "+class.String())
	}
	for _, n := range w.numbers() {
		if err != nil && n >= w.last {
			break
		}
		d.field(n)
	}
	if err != nil {
		d.problem(err)
	}
	return d.lines
}

// describer collects the lines of one message.
type describer struct {
	p     *Profile
	w     *walk
	ends  bool // the last field ends where the message does
	whole bool // every field is where and what it should be too
	lost  bool // the fields from here on are not what they are taken for
	lines []Line
}

func (d *describer) add(field, offset int, name, value string) {
	d.lines = append(d.lines, Line{Field: field, Offset: offset, Name: name, Value: value})
}

// problem is the last line, of where it went wrong.
func (d *describer) problem(err error) {
	line := Line{Field: partHeader, Problem: err.Error()}
	if fe, ok := err.(*FieldError); ok { //nolint:errorlint // walk returns nothing else, unwrapped
		line = Line{Field: fe.Field, Offset: fe.Offset, Problem: fe.Problem}
		if left := len(d.w.body) - fe.Offset; left > 0 {
			line.Problem += "; " + strconv.Itoa(left) + " bytes from here on are not shown"
		}
	}
	switch line.Field {
	case partHeader:
		line.Name = "message"
	case partMTI:
		line.Name = "message type"
	case partBitmap:
		line.Name = "bitmap"
	default:
		line.Name = d.p.FieldName(line.Field)
	}
	d.lines = append(d.lines, line)
}

// field shows field n as far as it may be shown.
func (d *describer) field(n int) {
	s, e := d.w.fields[n], &d.p.elements[n]
	at := int(s.at) - e.prefixLen()
	v, err := d.p.value(d.w, n)
	switch {
	case d.p.hidden[n] || n == fieldExpiry || d.lost:
		d.add(n, at, e.name, hiddenValue(int(s.count), e.kind))
	case err != nil:
		d.lines = append(d.lines, Line{
			Field: n, Offset: at, Name: e.name,
			Problem: problemContents,
		})
		d.lost = !d.ends // one bad field in a message of the right length is just that
	case n == fieldPAN:
		d.add(n, at, e.name, d.clean(maskPAN(v)))
	case n == fieldOriginal && len(v) == linkLen && d.whole:
		d.add(n, at, e.name, strings.Join([]string{
			v[:linkSTANAt], v[linkSTANAt:linkSentAt], v[linkSentAt:linkAcquirerAt],
			d.clean(v[linkAcquirerAt : linkAcquirerAt+linkInstitutions]),
			d.clean(v[linkAcquirerAt+linkInstitutions:]),
		}, " "))
	case n == fieldChip:
		d.add(n, at, e.name, d.chip())
	default:
		d.add(n, at, e.name, d.clean(v))
	}
}

// clean makes a value fit to be seen: no control characters, and no run of digits that could be a
// card number, or in a message that is not whole a piece of one or of track 1.
func (d *describer) clean(v string) string {
	least := panDigitsMin
	if !d.whole {
		least = panFragment
		if at := strings.IndexByte(v, '^'); at >= 0 { // the cardholder's name follows
			v = v[:at] + strings.Repeat("*", len(v)-at)
		}
	}
	return escapeControls(maskDigits(v, least))
}

// chip shows field 55 tag by tag, with names instead of values for what must not be seen.
func (d *describer) chip() string {
	var b strings.Builder
	chip := d.p.rawBytes(d.w, fieldChip)
	inside := *d
	if !wholeTLV(chip, 0) {
		inside.whole = false // a shifted tag may hold a piece of the card number too
	}
	inside.tags(&b, chip, 0)
	return b.String()
}

func (d *describer) tags(b *strings.Builder, chip []byte, depth int) {
	at, err := walkTLV(chip, func(t tlv) bool {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		name := tagName(t.tag)
		b.WriteString(name)
		switch {
		case isTemplate(t.tag) && depth < tlvDepthMax:
			b.WriteString("(")
			d.tags(b, t.value, depth+1)
			b.WriteString(")")
		case sensitiveTags[name] != "" || isTemplate(t.tag):
			b.WriteString("=" + hiddenValue(len(t.value), kindBinary))
		default:
			b.WriteString("=" + d.clean(tagName(t.value)))
		}
		return true
	})
	if err != nil {
		b.WriteString(" !! " + strconv.Itoa(len(chip)-at) + " bytes that are not tags, not shown")
	}
}

// hiddenValue stands for a value that is not shown.
func hiddenValue(n int, k kind) string {
	unit := "characters"
	switch k {
	case kindBinary:
		unit = "bytes"
	case kindNumber, kindTrack:
		unit = "digits"
	case kindSigned, kindText:
	}
	return "(hidden, " + strconv.Itoa(n) + " " + unit + ")"
}
