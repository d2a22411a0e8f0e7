package client

import (
	"fmt"
	"io"
	"time"
)

// Sale is a payment that is asked for, in fields or as a whole message. What the host wants beyond
// the named fields goes into Fields. Which are possible is the profile's business.
type Sale struct {
	Frame    string `json:"frame,omitempty"`     // the message without its length, in base64
	FrameHex string `json:"frame_hex,omitempty"` // or in hexadecimal

	Kind       string            `json:"kind,omitempty"` // sale (the default), authorization
	MTI        string            `json:"mti,omitempty"`  // instead of kind
	Processing string            `json:"processing_code,omitempty"`
	Amount     int64             `json:"amount,omitempty"` // in the smallest unit of Currency
	Currency   string            `json:"currency,omitempty"`
	PAN        string            `json:"pan,omitempty"`
	Expiry     string            `json:"expiry,omitempty"` // YYMM
	Track2     string            `json:"track2,omitempty"`
	EntryMode  string            `json:"entry_mode,omitempty"`
	Condition  string            `json:"condition_code,omitempty"`
	Chip       string            `json:"chip,omitempty"`      // DE 55 in hexadecimal
	PINBlock   string            `json:"pin_block,omitempty"` // DE 52 in hexadecimal
	STAN       string            `json:"stan,omitempty"`      // left out: one is chosen
	Terminal   string            `json:"terminal,omitempty"`
	Merchant   string            `json:"merchant,omitempty"`
	Fields     map[string]string `json:"fields,omitempty"` // any other, by its number

	Reference string `json:"reference,omitempty"` // the app's own word for it
}

// String is nothing but the reference: a sale holds a card and is never printed.
func (s Sale) String() string { return "sale " + s.Reference }

// Format prints String for every verb.
func (s Sale) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// The outcomes of a payment. Only Declined, NotSent and Reversed mean that the card is not charged.
const (
	Approved = "approved"
	Declined = "declined"
	Unknown  = "unknown"  // being found out, or being reversed: no second swipe, no refund
	NotSent  = "not_sent" // nothing has left the terminal
	Reversed = "reversed" // the host has undone it
)

// Payment is a payment as the daemon knows it. It holds no card data but the masked number.
type Payment struct {
	ID      uint64 `json:"id"`
	Outcome string `json:"outcome"`
	Text    string `json:"text"` // for the cashier, in the language asked for
	Next    Next   `json:"next"`

	Phase    string    `json:"phase"` // asked, approved, confirmed, declined, doubted …
	Key      string    `json:"idempotency_key"`
	Ref      string    `json:"reference"`
	Terminal string    `json:"terminal"`
	Merchant string    `json:"merchant"`
	STAN     string    `json:"stan"`
	RRN      string    `json:"rrn"`
	Auth     string    `json:"auth"`
	Amount   int64     `json:"amount"`
	Currency string    `json:"currency"`
	Card     string    `json:"card"` // masked
	Since    time.Time `json:"since"`
	Code     string    `json:"code"`   // the host's
	Reason   string    `json:"reason"` // why it is being reversed
	Cause    string    `json:"cause"`  // why it is stuck

	ConfirmBy time.Time `json:"confirm_by"` // it is reversed when it is not by then
	Replayed  bool      `json:"replayed"`   // the key was on file already
	// Warnings are what the guard rails that warn have found; told once.
	Warnings []Warning `json:"warnings,omitempty"`

	Answer []byte `json:"answer"` // the host's message, to a sale by Frame, where no card is in it
	Chip   string `json:"chip"`   // what the card waits for, in hexadecimal
}

// Next is what to do: a word for programs and a sentence for people.
type Next struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

// Problem is an error of the daemon's (RFC 9457). Its Type is stable: API.md lists them.
type Problem struct { //nolint:errname // what RFC 9457 calls it
	Type    string   `json:"type"`
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail"`
	Field   string   `json:"field"`
	Rail    string   `json:"rail,omitempty"` // of guard: which
	Outcome string   `json:"outcome"`        // not_sent: nothing has left the terminal
	Text    string   `json:"text"`
	Next    *Next    `json:"next"`
	ID      uint64   `json:"id"`
	Payment *Payment `json:"payment"` // conflict: as it is
}

// Error is what went wrong, in words.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Is makes errors.Is work with ErrConflict and ErrNotSent.
func (p *Problem) Is(target error) bool {
	return target == ErrConflict && p.Type == "urn:reversald:problem:conflict" ||
		target == ErrNotSent && p.Outcome == NotSent
}

// Warning is what a guard rail that warns has found.
type Warning struct {
	Rail string `json:"rail"`
	Text string `json:"text"`
}
