package iso

import (
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
)

// Message is a whole decoded message, card data included: for the host's side and for tests. The
// daemon itself has no use for it. Text is one character a byte (ISO 8859-1), so that any bytes
// survive; binary is upper-case hex; the separator of a packed track is '='.
type Message struct {
	MTI    string
	Header []byte // TPDU and the like; nil when the profile has none
	Fields map[int]string
}

// Decode reads every field of a message. Errors are *FieldError.
func (p *Profile) Decode(body []byte) (Message, error) {
	var w walk
	if err := p.walk(body, &w); err != nil {
		return Message{}, err
	}
	numbers := w.numbers()
	// Our own look at every value comes first: it knows where a bad one stands.
	if err := p.contents(&w); err != nil {
		return Message{}, err
	}
	m, err := p.codec.unpack(body[w.header:], numbers)
	if err != nil {
		return Message{}, &FieldError{Field: partHeader, Offset: w.header, Problem: err.Error()}
	}
	m.Header = append([]byte(nil), body[:w.header]...)
	return m, nil
}

// Compose builds a message behind the profile's own header. Fixed numbers are filled with zeros on
// the left and fixed text with spaces on the right; everything else must fit as it is.
func (p *Profile) Compose(mti string, fields map[int]string) ([]byte, error) {
	return p.ComposeWith(nil, mti, fields)
}

// ComposeWith is Compose behind a header of the caller's, which must be as long as the profile's;
// nil is the profile's own.
func (p *Profile) ComposeWith(header []byte, mti string, fields map[int]string) ([]byte, error) {
	if header == nil {
		header = p.header
	}
	if len(header) != len(p.header) {
		return nil, composing(partHeader, "has a header of another length than the profile's")
	}
	if len(mti) != 4 || !digitsOnly(mti) {
		return nil, composing(partMTI, "is not four digits")
	}
	numbers := make([]int, 0, len(fields))
	for n := range fields {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	values := make([]string, len(numbers))
	for i, n := range numbers {
		if n < 2 || n > fieldMax || p.elements[n].kind == 0 {
			return nil, composing(n, "is not in the profile")
		}
		var problem string
		if values[i], problem = p.elements[n].fit(fields[n]); problem != "" {
			return nil, composing(n, problem)
		}
	}
	packed, err := p.codec.pack(mti, numbers, values)
	if err != nil {
		return nil, composing(partHeader, err.Error())
	}
	body := append(slices.Clone(header), packed...)
	// What we are about to send must be readable by the same rules we read with.
	var w walk
	if err := p.walk(body, &w); err != nil {
		return nil, fmt.Errorf("composed %s: %w", mti, err)
	}
	return body, nil
}

// composing is a fault in what we were given to write.
func composing(field int, problem string) error {
	return &FieldError{Field: field, Offset: -1, Problem: problem}
}

// numbers are the fields that are present, in order, the bitmaps not counted.
func (w *walk) numbers() []int {
	out := make([]int, 0, bits.OnesCount64(w.present[0])+bits.OnesCount64(w.present[1]))
	for n := 2; n <= fieldMax; n++ {
		if w.has(n) {
			out = append(out, n)
		}
	}
	return out
}

// String is the type and the number of fields: a message may hold a card and is never printed.
func (m Message) String() string {
	return m.MTI + " with " + strconv.Itoa(len(m.Fields)) + " fields"
}

// Format prints String for every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }
