package iso

import (
	"slices"
	"strings"
)

// parseTrack2 takes card number and expiry out of track 2 (ISO 7813): digits, a separator ('=' or
// 'D'), YYMM, and then what we must not keep. Start and end sentinels are allowed. An expiry that
// the track leaves out (a second separator) is "".
func parseTrack2(track string) (Card, bool) {
	track = strings.TrimPrefix(track, ";")
	at := strings.IndexAny(track, "=Dd")
	if at < 0 || !validPAN(track[:at]) {
		return Card{}, false
	}
	// Clone: a slice of the track would keep the whole of it in memory.
	card := Card{PAN: PAN(strings.Clone(track[:at]))}
	rest := track[at+1:]
	switch {
	case len(rest) >= 4 && digitsOnly(rest[:4]):
		card.Expiry = strings.Clone(rest[:4])
	case rest == "" || strings.IndexAny(rest, "=Dd") != 0:
		return Card{}, false
	}
	return card, true
}

// validPAN reports whether s can be a card number: 8 to 19 digits (ISO 7812).
func validPAN(s string) bool { return len(s) >= 8 && len(s) <= panDigitsMax && digitsOnly(s) }

// cardOf takes the card out of a request: from fields 2 and 14, and what those lack from track 2,
// and then from the chip. False when there is a track or chip data and no card to be found.
func (p *Profile) cardOf(w *walk) (Card, error) {
	var card Card
	pan, err := p.value(w, fieldPAN)
	if err != nil {
		return Card{}, err
	}
	if card.Expiry, err = p.value(w, fieldExpiry); err != nil {
		return Card{}, err
	}
	if pan != "" {
		if !validPAN(pan) {
			return Card{}, p.failAt(w, fieldPAN, "is not a card number")
		}
		card.PAN = PAN(pan)
	}
	if card.PAN == "" && w.has(fieldTrack2) {
		track, err := p.value(w, fieldTrack2)
		if err != nil {
			return Card{}, err
		}
		found, ok := parseTrack2(track)
		if !ok {
			return Card{}, p.failAt(w, fieldTrack2, "has no card number we can read")
		}
		card = found.or(card.Expiry)
	}
	if card.PAN == "" && w.has(fieldChip) {
		card = cardOfChip(p.rawBytes(w, fieldChip)).or(card.Expiry)
	}
	return card, nil
}

// cardNumbers are all the card numbers that a message shows in the places for them.
func (p *Profile) cardNumbers(w *walk) []string {
	pan, _ := p.value(w, fieldPAN)
	track, _ := p.value(w, fieldTrack2)
	inTrack, _ := parseTrack2(track)
	found := []string{pan, inTrack.PAN.Reveal()}
	if w.has(fieldChip) {
		chip := p.rawBytes(w, fieldChip)
		inChip, _ := parseTrack2(packedDigits(findTLV(chip, "57", 0)))
		found = append(found, inChip.PAN.Reveal(),
			strings.TrimRight(packedDigits(findTLV(chip, "5A", 0)), "?"))
	}
	return slices.DeleteFunc(found, func(s string) bool { return len(s) < panDigitsMin })
}

// or is the card with this expiry instead of its own, unless it is "".
func (c Card) or(expiry string) Card {
	if expiry != "" {
		c.Expiry = expiry
	}
	return c
}

// cardOfChip finds a card in chip data: tag 57 (track 2), else 5A and 5F24.
func cardOfChip(chip []byte) Card {
	if track := findTLV(chip, "57", 0); len(track) > 0 {
		if card, ok := parseTrack2(packedDigits(track)); ok {
			return card
		}
	}
	digits := strings.TrimRight(packedDigits(findTLV(chip, "5A", 0)), "?") // F fills up
	if !validPAN(digits) {
		return Card{}
	}
	card := Card{PAN: PAN(digits)}
	expiry := packedDigits(findTLV(chip, "5F24", 0)) // YYMMDD
	if len(expiry) == 6 && digitsOnly(expiry) {
		card.Expiry = expiry[:4]
	}
	return card
}

// packedDigits are the digits of b, two to a byte.
func packedDigits(b []byte) string { return string(appendNibbles(nil, b, 2*len(b), false)) }

// rawBytes is the value of binary field n as bytes; nil when it is not there or not hexadecimal.
func (p *Profile) rawBytes(w *walk, n int) []byte {
	s, e := w.fields[n], &p.elements[n]
	wire := w.body[s.at:s.end]
	if !w.has(n) || e.packing == packRaw {
		return wire
	}
	out := make([]byte, 0, len(wire)/2)
	for i := 0; i+1 < len(wire); i += 2 {
		hi, okHi := hexValue(wire[i])
		lo, okLo := hexValue(wire[i+1])
		if !okHi || !okLo {
			return nil
		}
		out = append(out, hi<<4|lo)
	}
	return out
}

// failAt is a fault in field n, which is in the message.
func (p *Profile) failAt(w *walk, n int, problem string) error {
	at := int(w.fields[n].at) - p.elements[n].prefixLen()
	return &FieldError{Field: n, Offset: at, Problem: problem}
}
