package store

import "testing"

// Numbers that schemes publish for tests are card numbers; the same with another last digit, another
// length or a beginning that nobody uses are none.
func TestCardNumbersAreTold(t *testing.T) {
	for text, is := range map[string]bool{
		"4111111111111111": true, "4222222222222": true, "378282246310005": true,
		"5555555555554444": true, "2223003122003222": true, "3530111333300000": true,
		"30569309025904": true, "6011111111111117": true, "6222021234567890128": true,
		"8171999927660000": true, "2200770239097761": true,
		"4111111111111112": false, "411111111111111": false, "41111111111111111111": false,
		"1111111111111117": false, "0000000000000000": false, "9999999999999995": false,
		"": false, "no number": false, "4111 1111 1111 1111": false,
	} {
		if got := cardNumber([]byte("a " + text + " b")); (got == 2) != is {
			t.Errorf("%q: found at %d", text, got)
		}
	}
}
