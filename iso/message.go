package iso

import (
	"fmt"
	"io"
	"strconv"
)

// Message is a whole decoded message, card data included: for the host's side and for tests. The
// daemon itself has no use for it. Text is one character a byte (ISO 8859-1), so that any bytes
// survive; binary is upper-case hex.
type Message struct {
	MTI    string
	Header []byte
	Fields map[int]string
}

// Decode reads every field of a message.
func (p *Profile) Decode(body []byte) (Message, error) { return Message{}, errNotYet }

// Compose builds a message behind the profile's own header. Fixed numeric fields are filled with
// zeros on the left and fixed text with spaces on the right; everything else must fit as it is.
func (p *Profile) Compose(mti string, fields map[int]string) ([]byte, error) {
	return nil, errNotYet
}

// ComposeWith is Compose behind a header of the caller's; nil is the profile's own.
func (p *Profile) ComposeWith(header []byte, mti string, fields map[int]string) ([]byte, error) {
	return nil, errNotYet
}

// String is the type and the number of fields: a message may hold a card and is never printed.
func (m Message) String() string { return m.MTI + " with " + strconv.Itoa(len(m.Fields)) + " fields" }

// Format prints String for every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }
