package iso

import (
	"fmt"
	"io"
)

// Card is what may be kept of a card, and only sealed: its number and its expiry. The zero Card
// means that the message showed none.
type Card struct {
	PAN    PAN
	Expiry string // YYMM, or ""
}

// Zero reports whether there is no card.
func (c Card) Zero() bool { return c == Card{} }

// Seal returns the card as plain bytes for the journal to seal; nil for the zero Card.
func (c Card) Seal() []byte { return nil }

// ParseCard reads what Seal wrote. No bytes give the zero Card.
func ParseCard(b []byte) (Card, error) { return Card{}, errNotYet }

// String shows the masked number and no expiry.
func (c Card) String() string { return c.PAN.Masked() }

// Format prints String for every verb.
func (c Card) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalText is String: a card in JSON is its masked number.
func (c Card) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
