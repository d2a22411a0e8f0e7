package iso

import "strings"

// MaskText masks every card number in a text that a person wrote: 13 to 19 digits whose check digit
// fits, alone or in groups with single blanks, dashes or dots between them. Other numbers stay.
func MaskText(text string) string {
	if !holdsDigits(text, panDigitsMin) {
		return text
	}
	out := []byte(text)
	// What is left of one number may begin another: every pass takes digits away, so it ends.
	for again := true; again; {
		again = false
		for i := range out {
			if digitAt(out, i) && (i == 0 || !digitAt(out, i-1)) && maskFrom(out, i) {
				again = true
			}
		}
	}
	return string(out)
}

// maskFrom masks the longest card number that begins at byte from, if there is one.
func maskFrom(out []byte, from int) bool {
	var at []int // where the digits are
	best := 0
	for i := from; i < len(out) && len(at) <= panDigitsMax; i++ {
		if !digitAt(out, i) {
			if strings.IndexByte(" -.", out[i]) < 0 || !digitAt(out, i+1) {
				break
			}
			continue
		}
		at = append(at, i)
		if n := len(at); n >= panDigitsMin && n <= panDigitsMax && !digitAt(out, i+1) &&
			checkDigitFits(out, at) {
			best = n
		}
	}
	if best == 0 {
		return false
	}
	for _, i := range at[6 : best-4] {
		out[i] = '*'
	}
	return true
}

func digitAt(text []byte, i int) bool {
	return i < len(text) && text[i] >= '0' && text[i] <= '9'
}

// holdsDigits says whether a text has at least n digits.
func holdsDigits(text string, n int) bool {
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			n--
		}
	}
	return n <= 0
}

// checkDigitFits is the Luhn sum over the digits at some places.
func checkDigitFits(text []byte, at []int) bool {
	sum := 0
	for i := range at {
		d := int(text[at[len(at)-1-i]] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
