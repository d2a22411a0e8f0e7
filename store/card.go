package store

import "strconv"

// cardNumber says where a run of digits that can be a card number begins, or -1: 13 to 19 digits
// with no other digit beside them, a sum that comes out, and a beginning and a length that some
// scheme uses. Without the last, every tenth merchant number would be one.
func cardNumber(text []byte) int {
	for i := 0; i < len(text); {
		if !digit(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && digit(text[end]) {
			end++
		}
		if issued(text[i:end]) && luhn(text[i:end]) {
			return i
		}
		i = end
	}
	return -1
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// issued holds for the beginnings and lengths of the schemes (ISO/IEC 7812 and what they publish).
func issued(digits []byte) bool {
	n := len(digits)
	if n < 13 || n > 19 {
		return false
	}
	four, err := strconv.Atoi(string(digits[:4]))
	if err != nil {
		return false
	}
	two := four / 100
	switch {
	case two/10 == 4: // Visa
		return n == 13 || n == 16 || n == 18 || n == 19
	case two == 34, two == 37: // American Express
		return n == 15
	case four >= 2221 && four <= 2720, two >= 51 && two <= 55: // Mastercard
		return n == 16
	case two == 35, two == 36, two == 30, two == 38, two == 39: // JCB, Diners
		return n == 14 || n == 16 || n == 19
	case two == 50, two >= 56 && two <= 69: // Maestro, UnionPay, Discover, RuPay
		return n != 15
	case two == 81, two == 82, two == 22, four == 9558: // UnionPay, RuPay, Mir, ICBC
		return n >= 16
	}
	return false
}

// luhn holds when the last digit is the check digit of the others.
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
