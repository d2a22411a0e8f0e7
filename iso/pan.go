package iso

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// PAN is a card number. Whatever prints it prints the first six and the last four digits; the
// digits themselves need Reveal, which only the code that writes a message or seals a card may
// call.
//
// BUG(iso): fmt cannot call the methods of an unexported struct field, and JSON does not call
// those of a map key; do not print a struct that keeps a PAN in one, and do not key a map by it.
type PAN string

// Reveal returns the digits.
func (p PAN) Reveal() string { return string(p) }

// Masked returns first six and last four digits with stars between; of a number too short for that
// (under 13 digits) only stars.
func (p PAN) Masked() string { return maskPAN(string(p)) }

// String is Masked.
func (p PAN) String() string { return p.Masked() }

// GoString is Masked, for %#v.
func (p PAN) GoString() string { return `iso.PAN("` + p.Masked() + `")` }

// Format prints the masked number for every verb, %q %x and %d included.
func (p PAN) Format(f fmt.State, verb rune) {
	text := p.Masked()
	if verb == 'v' && f.Flag('#') {
		text = p.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// LogValue is Masked, for log/slog.
func (p PAN) LogValue() slog.Value { return slog.StringValue(p.Masked()) }

// MarshalText is Masked, for JSON, YAML and flags.
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

// maskPAN keeps six and four of a card number of 13 to 19 digits, and nothing of anything else.
func maskPAN(s string) string {
	masked := []byte(s)
	for i := range masked {
		if len(s) < panDigitsMin || len(s) > panDigitsMax || i >= 6 && i < len(s)-4 {
			masked[i] = '*'
		}
	}
	return string(masked)
}

// A card number has 13 to 19 digits where people see it; ISO 7812 allows 8, which we carry but
// never show a digit of.
const (
	panDigitsMin = 13
	panDigitsMax = 19
)

// In reports whether a text shows the number.
func (p PAN) In(text string) bool {
	return len(p) >= panDigitsMin && strings.Contains(text, string(p))
}

// CheckDigit says whether the last digit is the one that ISO/IEC 7812-1 annex B (Luhn) asks for.
func (p PAN) CheckDigit() bool {
	sum, double := 0, false
	for i := len(p) - 1; i >= 0; i-- {
		d := int(p[i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return len(p) > 1 && sum%10 == 0
}
