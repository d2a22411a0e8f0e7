package iso

import (
	"strconv"
	"strings"
	"unicode"
)

// panFragment is the shortest run of digits that is hidden in a message we do not understand: a
// trace number still shows.
const panFragment = 7

// maskDigits replaces every digit of every run of at least least digits, zeros in front not
// counted: amounts have them and card numbers do not. Single spaces and dashes between digits do
// not end a run: people write card numbers that way.
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
			if digits > 0 || b[i] != '0' {
				digits++
			}
			end = i + 1
		case (b[i] == ' ' || b[i] == '-') && i == end && i > at:
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
