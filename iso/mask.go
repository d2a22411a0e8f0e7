package iso

import (
	"strconv"
	"strings"
	"unicode"
)

// panFragment is the shortest run of digits that is hidden in a message we do not understand: a
// trace number still shows.
const panFragment = 7

// plainNumber are fields with long numbers in them that are not card numbers.
var plainNumber = map[int]bool{
	fieldOriginal: true, 86: true, 87: true, 88: true, 89: true, 95: true, 97: true,
}

// maskDigits replaces every digit of every run of at least least digits. Single spaces and dashes
// between them do not end a run: people write card numbers that way.
func maskDigits(s string, least int) string {
	if len(s) < least {
		return s
	}
	b := []byte(s)
	for at := 0; at < len(b); {
		end, digits := digitRun(b, at)
		if digits >= least {
			for i := at; i < end; i++ {
				if isDigit(b[i]) {
					b[i] = '*'
				}
			}
		}
		at = max(end, at+1)
	}
	return string(b)
}

// digitRun is the end of the run of digits at at, and how many of it are digits.
func digitRun(b []byte, at int) (end, digits int) {
	end = at
	for i := at; i < len(b); i++ {
		switch {
		case isDigit(b[i]):
			digits++
			end = i + 1
		case (b[i] == ' ' || b[i] == '-') && digits > 0 && i == end:
		default:
			return end, digits
		}
	}
	return end, digits
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// escapeControls writes what would move the cursor of a terminal as \xNN. Values are ISO 8859-1.
func escapeControls(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
