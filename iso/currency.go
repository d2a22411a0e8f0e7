package iso

import (
	"fmt"
	"strconv"
	"strings"
)

// exponents are the currencies whose smallest unit is not a hundredth (ISO 4217), as far as
// terminals meet them.
var exponents = map[string]int{
	"392": 0, "410": 0, "704": 0, "152": 0, "352": 0, "600": 0, "800": 0, "950": 0, "952": 0,
	"048": 3, "368": 3, "400": 3, "414": 3, "434": 3, "512": 3, "788": 3,
}

// names are the letters of the currencies terminals meet most; others show their number.
var names = map[string]string{
	"156": "CNY", "344": "HKD", "446": "MOP", "901": "TWD", "840": "USD", "978": "EUR",
	"826": "GBP", "392": "JPY", "410": "KRW", "702": "SGD", "036": "AUD", "554": "NZD",
	"704": "VND", "764": "THB", "458": "MYR", "360": "IDR", "608": "PHP", "356": "INR",
	"643": "RUB", "414": "KWD", "048": "BHD",
}

// Money is an amount for people: "12.34 CNY"; "" without one.
func Money(minor int64, currency string) string {
	if minor <= 0 {
		return ""
	}
	exponent, ok := exponents[currency]
	if !ok {
		exponent = 2
	}
	unit := int64(1)
	for range exponent {
		unit *= 10
	}
	text := strconv.FormatInt(minor/unit, 10)
	if exponent > 0 {
		text += fmt.Sprintf(".%0*d", exponent, minor%unit)
	}
	if name, ok := names[currency]; ok {
		currency = name
	}
	return strings.TrimRight(text+" "+currency, " ")
}
