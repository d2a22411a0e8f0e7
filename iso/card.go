package iso

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Card is what may be kept of a card, and only sealed: its number and its expiry. The zero Card
// means that the message showed none.
type Card struct {
	PAN    PAN
	Expiry string // YYMM, or ""
}

// Zero reports whether there is no card.
func (c Card) Zero() bool { return c == Card{} }

// cardVersion starts a sealed card, so that another layout can be told from this one.
const cardVersion = "1:"

// errCard says that sealed bytes are not a card; it shows none of them.
var errCard = errors.New("sealed bytes are not a card")

// Seal returns the card as plain bytes for the journal to seal, "1:" number ":" expiry; nil for the
// zero Card.
func (c Card) Seal() []byte {
	if c.Zero() {
		return nil
	}
	return []byte(cardVersion + c.PAN.Reveal() + ":" + c.Expiry)
}

// ParseCard reads what Seal wrote. No bytes give the zero Card.
func ParseCard(b []byte) (Card, error) {
	if len(b) == 0 {
		return Card{}, nil
	}
	rest, ok := strings.CutPrefix(string(b), cardVersion)
	pan, expiry, okColon := strings.Cut(rest, ":")
	if !ok || !okColon || pan != "" && !validPAN(pan) || expiry != "" && !validExpiry(expiry) ||
		pan == "" && expiry == "" {
		return Card{}, errCard
	}
	return Card{PAN: PAN(pan), Expiry: expiry}, nil
}

// validExpiry reports whether s is four digits, YYMM. The month is not checked: hosts use 0000 and
// worse for "none", and it only goes back where it came from.
func validExpiry(s string) bool { return len(s) == 4 && digitsOnly(s) }

// String shows the masked number and no expiry.
func (c Card) String() string { return c.PAN.Masked() }

// Format prints String for every verb.
func (c Card) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalText is String: a card in JSON is its masked number.
func (c Card) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
