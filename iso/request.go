package iso

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Request is a payment as somebody words it who does not speak ISO 8583. What is empty is left out
// of the message.
type Request struct {
	MTI        string // "": by Kind
	Kind       RequestKind
	Processing string // DE 3; "": zeros
	Amount     int64  // DE 4, in the smallest unit of Currency
	Currency   string // DE 49
	PAN        string // DE 2
	Expiry     string // DE 14, YYMM
	Track2     string // DE 35
	EntryMode  string // DE 22
	Condition  string // DE 25
	Chip       string // DE 55, in hexadecimal
	PINBlock   string // DE 52, in hexadecimal
	STAN       string // DE 11
	Terminal   string // DE 41
	Merchant   string // DE 42
	Time       time.Time
	Header     []byte         // TPDU and the like; nil is the profile's
	Fields     map[int]string // whatever else the host wants; these win
}

// String is one word: a request holds a card and is never printed.
func (Request) String() string { return "request" }

// Format prints String for every verb.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// RequestKind is what a payment is for; it chooses the message type among those that the profile
// reverses.
type RequestKind uint8

// The kinds of request. The zero kind is a sale.
const (
	RequestSale          RequestKind = iota // financial: 0200, 1200
	RequestAuthorization                    // of an amount that is charged later: 0100, 1100
)

// RequestMTI is the message type of a kind of payment; "" when the profile reverses none such.
func (p *Profile) RequestMTI(k RequestKind) string {
	digit := byte('2')
	if k == RequestAuthorization {
		digit = '1'
	}
	for i := range p.reversible {
		if mti := p.reversible[i].mti; mti[1] == digit {
			return mti
		}
	}
	return ""
}

// Word makes the message of a request. Transmission and local time are put in where the profile's
// reversals need them, and room for an authentication code where its payments carry one. Errors
// are *FieldError, which hold no value.
func (p *Profile) Word(r Request) ([]byte, error) {
	mti := r.MTI
	if mti == "" {
		if mti = p.RequestMTI(r.Kind); mti == "" {
			return nil, composing(partMTI, "of this kind is not in the profile")
		}
	}
	fields := map[int]string{
		fieldProcessing: r.Processing, fieldAmount: strconv.FormatInt(r.Amount, 10),
		fieldCurrency: r.Currency, fieldPAN: r.PAN, fieldExpiry: r.Expiry,
		fieldTrack2: r.Track2, fieldEntryMode: r.EntryMode, fieldCondition: r.Condition,
		fieldChip: r.Chip, fieldPIN: r.PINBlock, fieldSTAN: r.STAN, fieldTerminal: r.Terminal,
		fieldMerchant: r.Merchant,
	}
	if r.Processing == "" {
		fields[fieldProcessing] = "000000"
	}
	p.stamp(fields, r.Time)
	maps.Copy(fields, r.Fields)
	maps.DeleteFunc(fields, func(_ int, v string) bool { return v == "" })
	p.roomForMAC(fields, ClassPayment)
	return p.ComposeWith(r.Header, mti, fields)
}

// Fields that a request names and a glance does not.
const (
	fieldEntryMode = 22
	fieldCondition = 25
)

// stamps are the times of a request, by field, in time.Format's words.
var stamps = map[int][]string{
	fieldSent: {sentLayout},
	fieldTime: {"150405", "060102150405"},
	fieldDate: {"0102"},
}

// stamp puts in the times that a reversal will have to repeat, where they fit their fields.
func (p *Profile) stamp(fields map[int]string, at time.Time) {
	if at.IsZero() {
		return
	}
	wanted := slices.Clone(p.template.copied)
	for _, l := range p.template.links {
		wanted = append(wanted, l.inputs...)
	}
	for n, layouts := range stamps {
		for _, layout := range layouts {
			if slices.Contains(wanted, n) && p.elements[n].count == len(layout) {
				fields[n] = at.Format(layout)
			}
		}
	}
}

// answerTags are the tags of an answer's DE 55 that the chip waits for: issuer authentication data,
// authorization response code, and issuer scripts (EMV Book 3, annex A). None holds card data.
var answerTags = []string{"8A", "91", "71", "72"}

// ChipAnswer is what an answer has for the chip, in hexadecimal; "" when there is nothing, or
// nothing that can be read.
func (p *Profile) ChipAnswer(answer []byte) string {
	var w walk
	if p.walk(answer, &w) != nil || !w.has(fieldChip) {
		return ""
	}
	tags, _, err := subsetTLV(nil, p.rawBytes(&w, fieldChip), answerTags)
	if err != nil {
		return ""
	}
	return string(appendHex(nil, tags))
}

// CardFields are those that hold a card's number, its expiry, a track, a PIN or a verification
// value: what has one is not shown.
var cardFields = []int{fieldPAN, fieldExpiry, 34, fieldTrack2, 36, 45, fieldPIN}

// Shareable reports whether a message can be handed out as it is: it is well formed and has no
// field that is made for card data, and no card number in any other.
func (p *Profile) Shareable(body []byte) bool {
	var w walk
	if p.walk(body, &w) != nil {
		return false
	}
	for n := 2; n <= fieldMax; n++ {
		if w.has(n) && (p.hidden[n] || slices.Contains(cardFields, n)) {
			return false
		}
	}
	return true
}
